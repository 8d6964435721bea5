import type { FinishReason } from '../answer.ts'

/** How an answer ended, in the words of this API. */
export interface Ending {
  readonly reason: FinishReason
  readonly stopSequence?: string
  /** What the model said when it declined, where it did so apart from its text. */
  readonly refusal?: string
  /** The kind of a refusal, where the provider names one. */
  readonly category?: string | null
}

/**
 * `"stop_reason":…,"stop_sequence":…,"stop_details":…` as JSON text. `pause_turn` never comes, since it belongs to tools that the
 * provider runs, and `model_context_window_exceeded` is told as `max_tokens`.
 */
export function stopFields({ reason, stopSequence, refusal, category = null }: Ending): string {
  const word = refusal === undefined ? stopWord(reason, stopSequence) : 'refusal'
  const sequence = word === 'stop_sequence' ? JSON.stringify(stopSequence) : 'null'
  const details =
    word === 'refusal' ? JSON.stringify({ type: 'refusal', category, explanation: refusal ?? null }) : 'null'
  return `"stop_reason":"${word}","stop_sequence":${sequence},"stop_details":${details}`
}

function stopWord(reason: FinishReason, stopSequence: string | undefined): string {
  switch (reason) {
    case 'stop':
      return stopSequence === undefined ? 'end_turn' : 'stop_sequence'
    case 'length':
      return 'max_tokens'
    case 'tool_calls':
    case 'function_call':
      return 'tool_use'
    case 'content_filter':
      return 'refusal'
    default:
      return reason satisfies never
  }
}
