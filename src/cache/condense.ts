import type { AnswerChunk, AnswerEvent } from '../protocol/answer.ts'

/** Characters of a stored piece of text: 20 to 50 tokens, so that a replayed stream still comes in pieces. */
const PIECE = 160

/** The chunks of an answer in the fewest that say the same: fragments of a text put together, upstream's own frames left out. */
export function condensed(chunks: readonly AnswerChunk[]): readonly AnswerChunk[] {
  const events: AnswerEvent[] = []
  for (const chunk of chunks) {
    for (const event of chunk.events) {
      const joined = joinedTo(events.at(-1), event)
      if (joined === undefined) events.push(event)
      else events[events.length - 1] = joined
    }
  }
  return events.map((event) => ({ events: [event] }))
}

/** Undefined = they are two. Only the plainest fragments are joined: with any field besides, an event stays what it was. */
function joinedTo(last: AnswerEvent | undefined, next: AnswerEvent): AnswerEvent | undefined {
  if (last === undefined || last.type !== next.type) return undefined
  if ((last.type !== 'text' && last.type !== 'reasoning') || (next.type !== 'text' && next.type !== 'reasoning'))
    return undefined
  if (last.choice !== next.choice || last.text.length >= PIECE || !isPlain(last) || !isPlain(next)) return undefined
  return { ...last, text: last.text + next.text }
}

function isPlain(event: AnswerEvent): boolean {
  return Object.values(event).filter((value) => value !== undefined).length === 3
}

/** Bytes that chunks take in memory, about. */
export function sizeOf(chunks: readonly AnswerChunk[]): number {
  let bytes = 0
  for (const { events } of chunks) {
    bytes += 64
    for (const event of events) {
      bytes += 96
      if ('text' in event) bytes += 2 * event.text.length
      else if (event.type === 'logprobs') bytes += 2 * JSON.stringify(event).length
    }
  }
  return bytes
}
