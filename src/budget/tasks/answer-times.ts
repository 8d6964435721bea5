import type { Message } from '../../protocol/request.ts'

/** Answers of a task that are remembered: more than agents run side by side in one. */
const MOST = 64

/**
 * When the last answers of a task ended, so that a later request shows how long the tools took that an answer asked for. An answer is
 * known by the transcript that it answered: its length and its last message are what stands before it in the next one.
 */
export class AnswerTimes {
  readonly #ended: { readonly length: number; readonly last: string; readonly atMs: number }[] = []

  /** The answer to `messages` is over. */
  note(messages: readonly Message[], atMs: number): void {
    if (this.#ended.length === MOST) this.#ended.shift()
    this.#ended.push({ length: messages.length, last: mark(messages.at(-1)), atMs })
  }

  /** When the answer ended that stands at this place of a transcript; undefined = it is not known here. */
  of(messages: readonly Message[], at: number): number | undefined {
    const last = mark(messages[at - 1])
    return this.#ended.findLast((each) => each.length === at && each.last === last)?.atMs
  }
}

/** Tells the transcripts of agents that run side by side apart; not a digest, since a wrong time would do no harm. */
function mark(message: Message | undefined): string {
  if (message === undefined) return ''
  if (message.role === 'tool') return message.toolCallId
  const { content } = message
  return `${message.role} ${typeof content === 'string' ? content.length : (content?.length ?? 0)}`
}
