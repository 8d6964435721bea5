import type { NanoUsd } from '../../shared/money.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerEvent, Usage } from '../answer.ts'
import type { AnswerShape } from '../dialect.ts'
import type { JsonObject } from '../request.ts'
import { AnswerItems, type Say } from './answer-items.ts'
import { usageBody } from './usage-body.ts'

/** The `response` object while its answer arrives, as JSON text (OpenAI API reference, the response object; openai-node 7.57). */
export class ResponseBody {
  readonly #shape: AnswerShape
  readonly #items: AnswerItems
  #model: string
  #serviceTier: string | undefined

  constructor(shape: AnswerShape, say: Say) {
    this.#shape = shape
    this.#model = shape.request.model
    this.#items = new AnswerItems(shape.id, say)
  }

  /** Takes who answers; the rest of a chunk is for `take`. */
  start(events: readonly AnswerEvent[]): void {
    for (const event of events) {
      if (event.type !== 'start') continue
      this.#model = event.model
      this.#serviceTier = event.serviceTier
    }
  }

  take(events: readonly AnswerEvent[]): void {
    this.#items.take(events)
  }

  /** What the response is when its answer has ended as it should. */
  get status(): 'completed' | 'incomplete' {
    const { finish } = this.#items
    return finish === 'length' || finish === 'content_filter' ? 'incomplete' : 'completed'
  }

  begun(): string {
    const fields = { status: 'in_progress', error: null, incomplete_details: null, output: [] }
    return this.#render(fields, this.#mayStore, 'null')
  }

  /** The answer is over. It is kept where that was asked for; kept or not, it goes out, and says which. */
  end(usage: Usage, cost: NanoUsd | undefined): string {
    this.#items.close()
    const body = this.#ended(usage, cost, this.#mayStore)
    return !this.#mayStore || this.#keep(body) ? body : this.#ended(usage, cost, false)
  }

  failed(error: SwitchyardError): string {
    const code = error.status === 429 ? 'rate_limit_exceeded' : 'server_error'
    const fields = {
      status: 'failed',
      error: { code, message: error.message },
      incomplete_details: null,
      output: this.#items.output('incomplete'),
    }
    return this.#render(fields, false, 'null')
  }

  get #mayStore(): boolean {
    return this.#shape.request.turn?.store === true
  }

  #ended(usage: Usage, cost: NanoUsd | undefined, isStored: boolean): string {
    const reason = this.#items.finish === 'length' ? 'max_output_tokens' : 'content_filter'
    const fields = {
      status: this.status,
      error: null,
      incomplete_details: this.status === 'incomplete' ? { reason } : null,
      output: this.#items.output(),
    }
    return this.#render(fields, isStored, usageBody(usage, cost))
  }

  #keep(body: string): boolean {
    const { id, memory, request } = this.#shape
    if (memory === undefined || request.turn === undefined) return false
    const { items, previousId } = request.turn
    return memory.keep({ id: `resp_${id}`, previousId, input: items(id), output: this.#items.output(), body })
  }

  #render(state: JsonObject, isStored: boolean, usage: string): string {
    const { id, created, request } = this.#shape
    const head = {
      id: `resp_${id}`,
      object: 'response',
      created_at: created,
      background: false,
      ...state,
      model: this.#model,
      ...request.turn?.settings,
      service_tier: this.#serviceTier ?? request.openai.service_tier ?? 'default',
      store: isStored,
    }
    return `${JSON.stringify(head).slice(0, -1)},"usage":${usage}}`
  }
}
