import type { ServerResponse } from 'node:http'
import type { AnswerHead, AnswerSink } from '../gateway/steps.ts'
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import type { AnswerShape, Dialect, WholeWriter } from '../protocol/dialect.ts'
import { inOwnWords } from '../protocol/own-words.ts'
import { atEndOfTurn } from '../shared/end-of-turn.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'
import { answerHeaders } from './answer-headers.ts'
import { sendError } from './error-reply.ts'

const NEVER_FULL = Promise.resolve()

/** Collects an answer and sends it as one JSON body. */
export class JsonAnswer implements AnswerSink {
  readonly #response: ServerResponse
  readonly #headers: () => Record<string, string>
  readonly #dialect: Dialect
  readonly #shape: AnswerShape
  #head: AnswerHead | undefined
  #writer: WholeWriter

  constructor(response: ServerResponse, headers: () => Record<string, string>, dialect: Dialect, shape: AnswerShape) {
    this.#response = response
    this.#headers = headers
    this.#dialect = dialect
    this.#shape = shape
    this.#writer = dialect.whole(shape)
  }

  prepare(head: AnswerHead): void {
    // A new attempt starts a new answer.
    if (this.#head !== undefined) this.#writer = this.#dialect.whole(this.#shape)
    this.#head = head
  }

  chunk(chunk: AnswerChunk): boolean {
    this.#writer.add(chunk)
    return true
  }

  drained(): Promise<void> {
    return NEVER_FULL
  }

  close(usage: Usage, cost: NanoUsd | undefined): void {
    const response = this.#response
    if (response.headersSent || response.destroyed) return
    const body = this.#writer.render(usage, cost)
    const headers = this.#headers()
    if (this.#head !== undefined) Object.assign(headers, answerHeaders(this.#head))
    if (cost !== undefined) headers['x-cost-usd'] = formatUsd(cost)
    headers['content-type'] = 'application/json; charset=utf-8'
    const bytes = Buffer.byteLength(body)
    headers['content-length'] = String(bytes)
    response.writeHead(200, headers)
    // Text without multi-byte characters is the same in both encodings, and Latin-1 needs no transcoding.
    atEndOfTurn(() => response.end(body, bytes === body.length ? 'latin1' : 'utf8'))
  }

  fail(error: SwitchyardError): void {
    const headers = this.#headers()
    if (this.#head !== undefined) Object.assign(headers, answerHeaders(this.#head))
    sendError(this.#response, inOwnWords(error, this.#dialect), headers, this.#dialect)
  }
}
