import type { AnswerEvent } from '../answer.ts'
import type { JsonObject } from '../request.ts'
import type { GrowingItem, ItemStatus, Say } from './answer-items.ts'

/** A call of a function or custom tool in the output. Calls may grow side by side; each ends with the answer. */
export class CallItem implements GrowingItem {
  readonly index: number
  readonly callId: string
  readonly #id: string
  readonly #isCustom: boolean
  readonly #name: string
  readonly #say: Say
  #input = ''

  constructor(
    place: { readonly answerId: string; readonly callId: string; readonly index: number },
    first: Pick<Extract<AnswerEvent, { type: 'tool-call' }>, 'kind' | 'name'>,
    say: Say,
  ) {
    this.#isCustom = first.kind === 'custom'
    this.#id = `${this.#isCustom ? 'ctc' : 'fc'}_${place.answerId}_${place.index}`
    this.callId = place.callId
    this.index = place.index
    this.#name = first.name ?? ''
    this.#say = say
  }

  take(delta: string): void {
    if (delta === '') return
    this.#input += delta
    this.#say(this.#isCustom ? 'custom_tool_call_input.delta' : 'function_call_arguments.delta', {
      ...this.#place(),
      delta,
    })
  }

  close(): void {
    if (this.#isCustom) this.#say('custom_tool_call_input.done', { ...this.#place(), input: this.#input })
    else this.#say('function_call_arguments.done', { ...this.#place(), name: this.#name, arguments: this.#input })
  }

  body(status: ItemStatus | 'in_progress'): JsonObject {
    const base = { id: this.#id, call_id: this.callId, name: this.#name, status }
    return this.#isCustom
      ? { type: 'custom_tool_call', ...base, input: this.#input }
      : { type: 'function_call', ...base, arguments: this.#input }
  }

  #place(): JsonObject {
    return { item_id: this.#id, output_index: this.index }
  }
}
