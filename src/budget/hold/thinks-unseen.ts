import type { Target } from '../../gateway/steps.ts'
import type { ChatRequest } from '../../protocol/request.ts'

/** OpenAI's models that reason, whoever serves them under that name. Their thinking is billed and at most summed up. */
const OPENAI_THINKERS = /^(?:.*\/)?(?:ft:)?(?:o\d|gpt-[5-9]|codex|computer-use)/

/**
 * Whether a model may generate tokens that no event shows, or shows as a summary: then what was seen of a broken answer is no upper
 * count of what is billed. Engines show all their thinking.
 */
export function thinksUnseen({ thinking, reasoningEffort }: ChatRequest, { kind, model }: Target): boolean {
  switch (kind) {
    case 'openai':
      return reasoningEffort !== 'none' && OPENAI_THINKERS.test(model)
    case 'anthropic':
      return thinking === undefined
        ? reasoningEffort !== undefined && reasoningEffort !== 'none'
        : thinking.type !== 'disabled'
    case 'google':
      // Its models think unless told otherwise, and some always do. Reported usage, which comes with every chunk, has it all.
      return true
    case 'vllm':
    case 'tgi':
    case 'simulated':
    case 'embedded':
      return false
    default:
      return kind satisfies never
  }
}
