import type { FinishReason } from '../../protocol/answer.ts'

/** Anthropic's stop reason as ours (Messages API, "Handling stop reasons"). An unknown one from a newer API means an ordinary end. */
export function finishOf(reason: string, hasToolCalls: boolean): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
    // A turn with the provider's own tools that was put off: the answer is not whole, and may be gone on with.
    case 'pause_turn':
      return 'length'
    case 'refusal':
      return 'content_filter'
    case 'tool_use':
      return 'tool_calls'
    default:
      return hasToolCalls && reason !== 'stop_sequence' ? 'tool_calls' : 'stop'
  }
}
