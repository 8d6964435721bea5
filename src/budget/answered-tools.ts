import type { Message } from '../protocol/request.ts'

/** Ids are the caller's own text; longer ones are shortened, since they are kept. */
const MAX_ID = 128

/** Adds the ids of tool calls that the transcript answers to `seen`, and returns how many were new. */
export function countAnsweredTools(messages: readonly Message[], seen: Set<string>): number {
  const before = seen.size
  for (const message of messages) if (message.role === 'tool') seen.add(message.toolCallId.slice(0, MAX_ID))
  return seen.size - before
}
