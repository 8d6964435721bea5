/** An answer of `/v1/responses`, read as a careful client reads it. */
import type { Reply } from './reply.ts'
import { holds, same } from './row.ts'

interface Part {
  readonly type?: string
  readonly text?: string
  readonly refusal?: string
}
export interface OutputItem {
  readonly id?: string
  readonly type?: string
  readonly status?: string
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  readonly content?: readonly Part[]
  readonly summary?: readonly Part[]
}
export interface ResponseObject {
  readonly id?: string
  readonly object?: string
  readonly status?: string
  readonly created_at?: number
  readonly model?: string
  readonly output?: readonly OutputItem[]
  readonly error?: { readonly message?: string } | null
  readonly incomplete_details?: { readonly reason?: string } | null
  readonly usage?: {
    readonly input_tokens?: number
    readonly output_tokens?: number
    readonly total_tokens?: number
    readonly input_tokens_details?: { readonly cached_tokens?: number }
    readonly output_tokens_details?: { readonly reasoning_tokens?: number }
  } | null
}
export interface ResponseEvent {
  readonly type: string
  readonly sequence_number?: number
  readonly output_index?: number
  readonly item_id?: string
  readonly item?: OutputItem
  readonly delta?: string
  readonly text?: string
  readonly arguments?: string
  readonly response?: ResponseObject
}

const ENDS = ['response.completed', 'response.incomplete', 'response.failed', 'error']

/** Every event; `[DONE]`, which some servers send after the last, is none. */
export function responseEvents(reply: Reply): readonly ResponseEvent[] {
  return reply.frames.map((frame) => {
    const event = frame as Partial<ResponseEvent>
    holds(typeof event.type === 'string', `an event without a type: ${JSON.stringify(frame).slice(0, 60)}`)
    return event as ResponseEvent
  })
}

/** The events of a stream that ends in the given way. */
export function endsAs(reply: Reply, end: string): readonly ResponseEvent[] {
  same(reply.status, 200, 'status')
  holds(reply.isWhole, 'the connection broke before the end')
  const events = responseEvents(reply)
  same(
    events.map(({ type }) => type).filter((type) => ENDS.includes(type)),
    [end],
    'ends',
  )
  return events
}

export function completes(reply: Reply): readonly ResponseEvent[] {
  return endsAs(reply, 'response.completed')
}

/** A failure that nobody can take for a good end: `response.failed` or `error`, or an HTTP error. */
export function failsAsResponse(reply: Reply): readonly ResponseEvent[] {
  if (reply.status >= 400) return []
  const events = responseEvents(reply)
  const ends = events.map(({ type }) => type).filter((type) => ENDS.includes(type))
  holds(ends.length > 0, 'ended without a word')
  holds(!ends.includes('response.completed') && !ends.includes('response.incomplete'), 'ended as if all were well')
  return events
}

export function run(events: readonly ResponseEvent[], type: string): readonly ResponseEvent[] {
  return events.filter((event) => event.type === type)
}

export function item(event: ResponseEvent): OutputItem {
  return event.item ?? {}
}

/** The items of the finished response. */
export function output(events: readonly ResponseEvent[]): readonly OutputItem[] {
  return events.at(-1)?.response?.output ?? []
}
