import type { ServerResponse } from 'node:http'
import type { AnswerHead, AnswerSink } from '../gateway/steps.ts'
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import { AnswerCollector, type CollectorOptions } from '../protocol/openai-chat/collect-answer.ts'
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
  readonly #options: CollectorOptions
  #head: AnswerHead | undefined
  #collector: AnswerCollector

  constructor(response: ServerResponse, headers: () => Record<string, string>, options: CollectorOptions) {
    this.#response = response
    this.#headers = headers
    this.#options = options
    this.#collector = new AnswerCollector(options)
  }

  prepare(head: AnswerHead): void {
    // A new attempt starts a new answer.
    if (this.#head !== undefined) this.#collector = new AnswerCollector(this.#options)
    this.#head = head
  }

  chunk(chunk: AnswerChunk): boolean {
    this.#collector.add(chunk)
    return true
  }

  drained(): Promise<void> {
    return NEVER_FULL
  }

  close(usage: Usage, cost: NanoUsd | undefined): void {
    const response = this.#response
    if (response.headersSent || response.destroyed) return
    const body = this.#collector.render(usage, cost)
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
    sendError(this.#response, error, headers)
  }
}
