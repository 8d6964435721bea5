import type { AnswerChunk, FinishReason } from '../../protocol/answer.ts'

/** A call that the model made, its arguments as it wrote them. */
export interface ViewedCall {
  readonly name: string
  readonly kind: 'function' | 'custom'
  readonly arguments: string
}

/** What checks read of an answer: its first choice, put together. */
export interface AnswerView {
  readonly text: string
  readonly refusal: string
  readonly calls: readonly ViewedCall[]
  /** Undefined = the answer did not say how it ended. */
  readonly finish: FinishReason | undefined
  /** Mean natural logarithm of the probability of its tokens; undefined where the upstream sent none. */
  readonly meanLogprob: number | undefined
  /** Something other than text, refusals and calls came (audio). */
  readonly hasOther: boolean
}

/** Reads the first choice; others are not looked at, since answers of several are never judged. */
export function viewAnswer(chunks: readonly AnswerChunk[]): AnswerView {
  let text = ''
  let refusal = ''
  let finish: FinishReason | undefined
  let logprobs = 0
  let tokens = 0
  let hasOther = false
  const calls: { name: string; kind: 'function' | 'custom'; arguments: string }[] = []
  for (const { events } of chunks) {
    for (const event of events) {
      switch (event.type) {
        case 'text':
          if (event.choice === 0) text += event.text
          break
        case 'refusal':
          if (event.choice === 0) refusal += event.text
          break
        case 'tool-call': {
          if (event.choice !== 0) break
          const call = (calls[event.index] ??= { name: '', kind: event.kind ?? 'function', arguments: '' })
          call.name ||= event.name ?? ''
          call.arguments += event.arguments
          break
        }
        case 'finish':
          if (event.choice === 0) finish = event.reason
          break
        case 'logprobs':
          for (const { logprob } of event.content ?? []) {
            if (event.choice !== 0 || typeof logprob !== 'number') continue
            logprobs += logprob
            tokens += 1
          }
          break
        case 'audio':
          hasOther = true
          break
        case 'start':
        case 'reasoning':
        case 'annotations':
        case 'usage':
          break
        default:
          event satisfies never
      }
    }
  }
  return { text, refusal, calls, finish, meanLogprob: tokens === 0 ? undefined : logprobs / tokens, hasOther }
}
