const NAMES = /embed|(?:^|[/-])(?:voyage|bge|e5|gte|minilm)(?:[-/]|$)/i
/** Of the same families, and no embedders. */
const OTHERS = /rerank/i

/** Whether a model makes vectors and nothing else, by its name: there is no better mark before it is asked. */
export function isEmbedder(model: string): boolean {
  return NAMES.test(model) && !OTHERS.test(model)
}
