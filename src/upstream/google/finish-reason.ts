import type { FinishReason } from '../../protocol/answer.ts'

/** Words of a candidate that was withheld by a filter. */
const FILTERED: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'MODEL_ARMOR',
])
/** Words of a candidate that is none: the model failed, and another try may not. */
const FAILED: ReadonlySet<string> = new Set([
  'OTHER',
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'NO_IMAGE',
  'IMAGE_OTHER',
])

/** Gemini's `finishReason` (API reference, v1beta) as OpenAI's; `failed` where the candidate cannot be used. A new word means an ordinary end. */
export function finishReason(word: string, hasToolCalls: boolean): FinishReason | 'failed' {
  if (word === 'MAX_TOKENS') return 'length'
  if (FILTERED.has(word)) return 'content_filter'
  if (FAILED.has(word)) return 'failed'
  return hasToolCalls ? 'tool_calls' : 'stop'
}
