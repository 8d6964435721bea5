import type { FinishReason } from '../../protocol/answer.ts'

/** An engine's finish reason as OpenAI's; `failed` where the engine says that it did not finish. Unknown words mean an ordinary end. */
export function finishReason(word: string, hasToolCalls: boolean): FinishReason | 'failed' {
  switch (word) {
    case 'length':
    case 'model_length':
    case 'max_tokens':
      return 'length'
    case 'tool_calls':
    case 'content_filter':
    case 'function_call':
      return word
    case 'error':
    case 'abort':
      return 'failed'
    default:
      // Some servers end a tool call with "stop"; agents would take that for the end of their loop.
      return hasToolCalls ? 'tool_calls' : 'stop'
  }
}

/** The caller's stop string that ended a choice, where the engine says which: vLLM in `stop_reason`, SGLang in `matched_stop`. */
export function stopSequence(choice: Readonly<Record<string, unknown>>): { readonly stopSequence?: string } {
  const said = choice['stop_reason'] ?? choice['matched_stop']
  return typeof said === 'string' ? { stopSequence: said } : {}
}
