import type { AnswerEvent } from '../../protocol/answer.ts'
import { DistinctIds } from '../distinct-ids.ts'

type ToolCallEvent = Extract<AnswerEvent, { type: 'tool-call' }>

interface OpenCall {
  readonly index: number
  id: string | undefined
  name: string | undefined
  kind: 'function' | 'custom'
  isAnnounced: boolean
}

/** More calls in one answer than this are an attack on memory, not an answer (SDKs stop at 128). */
const MAX_CALLS = 1024

/**
 * Puts the tool-call fragments of one choice in order: indices count from 0 without gaps whatever the server's are, a call is
 * announced once with name and an id of its own, repeats of the name are dropped. Undefined = the fragments cannot be one call.
 */
export class ToolCalls {
  readonly #byIndex = new Map<number, OpenCall>()
  readonly #ids = new DistinctIds()
  #last: OpenCall | undefined
  #count = 0

  get hasAny(): boolean {
    return this.#count > 0
  }

  /** Events of one fragment (`{index?, id?, type?, function?: {name?, arguments?}}`); undefined where it contradicts earlier ones. */
  fragment(choice: number, raw: Record<string, unknown>): readonly ToolCallEvent[] | undefined {
    const id = text(raw['id'])
    const kind = raw['type'] === 'custom' || raw['custom'] !== undefined ? 'custom' : 'function'
    const body = record(raw[kind])
    const name = text(body['name'])
    const args = kind === 'custom' ? body['input'] : body['arguments']
    // Some servers send the arguments as an object instead of its text.
    const piece =
      typeof args === 'string' ? args : typeof args === 'object' && args !== null ? JSON.stringify(args) : ''
    const call = this.#find(raw['index'], id, kind)
    if (call === undefined) return undefined
    if (call.name !== undefined && call.isAnnounced && name !== undefined && name !== call.name) return undefined
    call.id ??= id
    call.name ??= name
    if (call.isAnnounced) {
      return piece === '' ? [] : [{ type: 'tool-call', choice, index: call.index, kind: call.kind, arguments: piece }]
    }
    if (call.name === undefined) return piece === '' ? [] : undefined
    // The id may come later than the name; with the first arguments it must be there, or one is made.
    if (call.id === undefined && piece === '') return []
    call.isAnnounced = true
    return [
      {
        type: 'tool-call',
        choice,
        index: call.index,
        kind: call.kind,
        id: this.#ids.take(call.id ?? `call_${choice}_${call.index}`),
        name: call.name,
        arguments: piece,
      },
    ]
  }

  #find(index: unknown, id: string | undefined, kind: OpenCall['kind']): OpenCall | undefined {
    const key = typeof index === 'number' ? index : undefined
    let call = key === undefined ? (id === undefined ? (this.#last ?? undefined) : undefined) : this.#byIndex.get(key)
    // Another id under a known index is another call: running it under the first id would run one of them twice.
    if (call?.id !== undefined && id !== undefined && call.id !== id) call = undefined
    if (call === undefined) {
      if (this.#count >= MAX_CALLS) return undefined
      call = { index: this.#count, id: undefined, name: undefined, kind, isAnnounced: false }
      this.#count += 1
      if (key !== undefined) this.#byIndex.set(key, call)
    }
    this.#last = call
    return call
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
