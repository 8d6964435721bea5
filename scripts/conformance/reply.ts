import type { IncomingHttpHeaders } from 'node:http'
import { Broken, holds } from './row.ts'

export interface ToolCall {
  readonly index: number
  readonly id: string
  readonly type: string
  readonly name: string
  readonly arguments: string
}
interface Delta {
  readonly role?: string | null
  readonly content?: string | null
  readonly refusal?: string | null
  readonly reasoning?: string | null
  readonly reasoning_content?: string | null
  readonly function_call?: { readonly name?: string; readonly arguments?: string } | null
  readonly tool_calls?: readonly {
    readonly index?: number
    readonly id?: string | null
    readonly type?: string | null
    readonly function?: { readonly name?: string | null; readonly arguments?: string | null }
  }[]
}
export interface Choice {
  readonly index: number
  readonly delta?: Delta
  readonly message?: Delta
  readonly finish_reason?: string | null
  readonly logprobs?: { readonly content?: readonly { readonly token: string }[] | null } | null
}
export interface Chunk {
  readonly id?: unknown
  readonly object?: unknown
  readonly created?: unknown
  readonly model?: unknown
  readonly choices?: readonly Choice[]
  readonly usage?: Readonly<Record<string, unknown>> | null
  readonly error?: unknown
}

/** What a caller got, read as a careful client reads it. */
export class Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The answer ended as HTTP says it must; false where the connection broke. */
  readonly isWhole: boolean
  #named: readonly NamedEvent[] | undefined

  constructor(status: number, headers: IncomingHttpHeaders, body: Buffer, isWhole: boolean) {
    this.status = status
    this.headers = headers
    this.body = body
    this.isWhole = isWhole
  }

  /** The body as JSON; `Broken` where it is none. */
  get json(): Chunk {
    return parse(this.body.toString())
  }

  /** The data of every event. */
  get events(): readonly string[] {
    return this.named.map(({ data }) => data)
  }

  /** Every event with its name. */
  get named(): readonly NamedEvent[] {
    this.#named ??= readEvents(this.body.toString())
    return this.#named
  }

  /** Every event but `[DONE]` and errors. */
  get chunks(): readonly Chunk[] {
    return this.frames.filter((frame) => frame.error === undefined)
  }

  /** Every event but `[DONE]`. */
  get frames(): readonly Chunk[] {
    return this.events.filter((data) => data !== '[DONE]').map(parse)
  }

  get dones(): number {
    return this.events.filter((data) => data === '[DONE]').length
  }

  get errors(): readonly unknown[] {
    return this.frames.flatMap((frame) => (frame.error === undefined ? [] : [frame.error]))
  }

  choices(index = 0): readonly Choice[] {
    return this.chunks.flatMap((chunk) => chunk.choices ?? []).filter((choice) => choice.index === index)
  }

  text(index = 0, field: 'content' | 'refusal' | 'reasoning' | 'reasoning_content' = 'content'): string {
    return this.choices(index)
      .map((choice) => choice.delta?.[field] ?? '')
      .join('')
  }

  finishes(index = 0): readonly string[] {
    return this.choices(index).flatMap((choice) =>
      typeof choice.finish_reason === 'string' ? [choice.finish_reason] : [],
    )
  }

  usages(): readonly Readonly<Record<string, unknown>>[] {
    return this.chunks.flatMap((chunk) => (chunk.usage == null ? [] : [chunk.usage]))
  }

  /** Tool calls put together by `index`, as the official clients do it; `Broken` where one of them would throw. */
  calls(choice = 0): readonly ToolCall[] {
    const calls = new Map<number, { id: string; type: string; name: string; arguments: string }>()
    for (const { delta } of this.choices(choice)) {
      for (const piece of delta?.tool_calls ?? []) {
        const { index } = piece
        holds(typeof index === 'number', 'a tool call delta has no index')
        const known = calls.get(index)
        const call = known ?? { id: '', type: '', name: '', arguments: '' }
        if (known === undefined) calls.set(index, call)
        const { id } = piece
        holds(known === undefined || !id || id === call.id, `tool call ${index} changed its id`)
        if (id) call.id = id
        if (piece.type) call.type = piece.type
        call.name += piece.function?.name ?? ''
        call.arguments += piece.function?.arguments ?? ''
      }
    }
    return [...calls].map(([index, call]) => ({ index, ...call }))
  }
}

function parse(text: string): Chunk {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below.
  }
  throw new Broken(`not a JSON object: ${text.slice(0, 60)}`)
}

export interface NamedEvent {
  /** Of the line `event:`; `message` where there is none. */
  readonly name: string
  readonly data: string
}

/** The events of a stream (WHATWG HTML, 9.2.6). Written apart from the gateway's own decoder, which it judges. */
function readEvents(text: string): readonly NamedEvent[] {
  const events: NamedEvent[] = []
  let name = ''
  let data: string[] = []
  const valueOf = (line: string, from: number): string => line.slice(line[from] === ' ' ? from + 1 : from)
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) events.push({ name: name || 'message', data: data.join('\n') })
      name = ''
      data = []
    } else if (line.startsWith('data:')) data.push(valueOf(line, 5))
    else if (line.startsWith('event:')) name = valueOf(line, 6)
  }
  return events
}
