import type { NanoUsd } from '../../shared/money.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerChunk, Usage } from '../answer.ts'
import type { AnswerShape, Dialect, StreamWriter, WholeWriter } from '../dialect.ts'
import { errorBody } from '../openai-chat/error-body.ts'
import { decodeResponsesRequest } from './decode-request.ts'
import { FIELD_NAMES } from './fields.ts'
import { ResponseBody } from './response-body.ts'

/** `POST /v1/responses` (OpenAI API reference; openai-node 7.57). */
export const openAiResponses: Dialect = {
  name: 'openai-responses',
  isStateful: true,
  decode: decodeResponsesRequest,
  whole: (shape) => new ResponseWriter(shape),
  stream: (shape) => new EventWriter(shape),
  fieldNames: FIELD_NAMES,
  errorBody,
}

class ResponseWriter implements WholeWriter {
  readonly #body: ResponseBody

  constructor(shape: AnswerShape) {
    this.#body = new ResponseBody(shape, () => {})
  }

  add({ events }: AnswerChunk): void {
    this.#body.start(events)
    this.#body.take(events)
  }

  render(usage: Usage, cost: NanoUsd | undefined): string {
    return this.#body.end(usage, cost)
  }
}

/** Events are numbered without gaps. There is no `[DONE]`: the last event has the whole response. */
class EventWriter implements StreamWriter {
  readonly keepAlive = ': keep-alive\n\n'
  readonly #body: ResponseBody
  #frames = ''
  #number = 0
  #hasBegun = false

  constructor(shape: AnswerShape) {
    this.#body = new ResponseBody(shape, (type, fields) => this.#say(`response.${type}`, JSON.stringify(fields)))
  }

  chunk({ events }: AnswerChunk): string {
    // The first chunk says which model answers.
    this.#body.start(events)
    this.#begin()
    this.#body.take(events)
    return this.#taken()
  }

  end(usage: Usage, cost: NanoUsd | undefined): string {
    this.#begin()
    const response = this.#body.end(usage, cost)
    this.#say(`response.${this.#body.status}`, `{"response":${response}}`)
    return this.#taken()
  }

  /** The event `error` makes clients throw; `response.failed` is for those that read the lifecycle alone. */
  fail(error: SwitchyardError): string {
    this.#begin()
    const { message, code, param = null } = error
    this.#say('response.failed', `{"response":${this.#body.failed(error)}}`)
    this.#say('error', JSON.stringify({ code, message, param }))
    return this.#taken()
  }

  #begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#say('response.created', `{"response":${this.#body.begun()}}`)
    this.#say('response.in_progress', `{"response":${this.#body.begun()}}`)
  }

  /** `fields` is an object as JSON text, with at least one field. */
  #say(type: string, fields: string): void {
    const number = this.#number++
    this.#frames += `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${fields.slice(1)}\n\n`
  }

  #taken(): string {
    const frames = this.#frames
    this.#frames = ''
    return frames
  }
}
