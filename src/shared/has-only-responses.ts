/** Models that OpenAI serves through the Responses API alone (list of models; `ResponsesModel` of its SDKs), dated versions included. */
const NAMES =
  /^(?:(?:o\d|gpt-\d+(?:\.\d+)?)-pro|gpt-\d+(?:\.\d+)?-codex|codex|o\d(?:-mini)?-deep-research|computer-use)(?:-|$)/

/** Whether a model of OpenAI's is unknown to chat completions, by its name. */
export function hasOnlyResponses(model: string): boolean {
  return NAMES.test(model)
}
