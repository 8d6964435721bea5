import type { Message } from '../protocol/request.ts'

/** Ids are the caller's own text; longer ones are shortened, since they are kept. */
const MAX_ID = 128

/**
 * Adds the tool calls that the transcript answers to `seen`, and returns how many were new. Models give an id twice now and then (31 of
 * 152 recorded runs of gpt-4o have one): the second answer to it in one transcript is another call.
 */
export function countAnsweredTools(messages: readonly Message[], seen: Set<string>): number {
  const before = seen.size
  let times: Map<string, number> | undefined
  for (const message of messages) {
    if (message.role !== 'tool') continue
    times ??= new Map()
    const id = message.toolCallId.slice(0, MAX_ID)
    const time = (times.get(id) ?? 0) + 1
    times.set(id, time)
    seen.add(time === 1 ? id : `${id}\n${time}`)
  }
  return seen.size - before
}
