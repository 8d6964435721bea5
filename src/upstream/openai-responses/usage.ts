import type { Usage } from '../../protocol/answer.ts'
import { estimateUsage, readUsage as readChatUsage, type Seen } from '../openai/usage.ts'
import { isFields } from '../frame-fields.ts'

/** Reads `usage` of a response: what chat completions report, under other names. Estimated where the figures cannot be right. */
export function readUsage(raw: unknown, seen: Seen): Usage {
  if (!isFields(raw)) return estimateUsage(seen)
  const chat = {
    prompt_tokens: raw['input_tokens'],
    completion_tokens: raw['output_tokens'],
    total_tokens: raw['total_tokens'],
    prompt_tokens_details: raw['input_tokens_details'],
    completion_tokens_details: raw['output_tokens_details'],
  }
  return readChatUsage(chat, seen) ?? estimateUsage(seen)
}
