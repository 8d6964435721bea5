import type { Message, ToolCall } from '../../protocol/request.ts'

/** Ids are the caller's own text; longer ones are shortened, since they are kept. */
const MAX_ID = 128

/** A tool call that a transcript answers. */
export interface AnsweredTool {
  /** Its id, and which of several with that id it is: what it is known by within its task. */
  readonly key: string
  /** Undefined where the transcript has an answer and no call. */
  readonly call: ToolCall | undefined
  /** Place of the message that asked for it. */
  readonly askedAt: number | undefined
}

/**
 * Adds the tool calls that the transcript answers to `seen`, and returns the new ones in the order of their answers. Models give an id
 * twice now and then (31 of 152 recorded runs of gpt-4o have one): the second answer to it in one transcript is another call.
 */
export function answeredTools(messages: readonly Message[], seen: Set<string>): readonly AnsweredTool[] {
  let times: Map<string, number> | undefined
  let found: { readonly key: string; readonly id: string; readonly time: number }[] | undefined
  for (const message of messages) {
    if (message.role !== 'tool') continue
    times ??= new Map()
    const id = message.toolCallId.slice(0, MAX_ID)
    const time = (times.get(id) ?? 0) + 1
    times.set(id, time)
    const key = time === 1 ? id : `${id}\n${time}`
    if (seen.has(key)) continue
    seen.add(key)
    found ??= []
    found.push({ key, id, time })
  }
  if (found === undefined) return NONE
  const asked = askedTools(messages, new Set(found.map(({ id }) => id)))
  return found.map(({ key, id, time }) => {
    // An answer without a call of its own: a client that cut its transcript, or that answers one call twice.
    const calls = asked.get(id) ?? []
    const { call, at } = calls[Math.min(time, calls.length) - 1] ?? {}
    return { key, call, askedAt: at }
  })
}

const NONE: readonly AnsweredTool[] = []

type Asked = { readonly call: ToolCall; readonly at: number }

function askedTools(messages: readonly Message[], ids: ReadonlySet<string>): ReadonlyMap<string, readonly Asked[]> {
  const asked = new Map<string, Asked[]>()
  for (const [at, message] of messages.entries()) {
    if (message.role !== 'assistant') continue
    for (const call of message.toolCalls ?? []) {
      const id = call.id.slice(0, MAX_ID)
      if (!ids.has(id)) continue
      const calls = asked.get(id)
      if (calls === undefined) asked.set(id, [{ call, at }])
      else calls.push({ call, at })
    }
  }
  return asked
}
