import type { ServerResponse } from 'node:http'
import type { AnswerHead, AnswerSink } from '../gateway/steps.ts'
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import type { AnswerShape, Dialect, StreamWriter } from '../protocol/dialect.ts'
import { inOwnWords } from '../protocol/own-words.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { NanoUsd } from '../shared/money.ts'
import { answerHeaders } from './answer-headers.ts'
import { sendError } from './error-reply.ts'

/** Longest silence before a comment is sent, so that proxies and SDKs do not take the connection for dead. */
const KEEP_ALIVE_MS = 15_000
/** Looks in that time: a timer that is set anew by each chunk costs more than counting a few looks without one. */
const LOOKS = 3

/**
 * Writes an answer as server-sent events. The head goes out with the first content, or within 15 s of silence together with a
 * comment: from then on an error can only be told inside the stream.
 */
export class SseAnswer implements AnswerSink {
  readonly #response: ServerResponse
  readonly #headers: () => Record<string, string>
  readonly #dialect: Dialect
  readonly #writer: StreamWriter
  readonly #keepAlive: NodeJS.Timeout
  #head: AnswerHead | undefined
  #isOpen = false
  #isOver = false
  /** Looks since something was written. */
  #silentLooks = 0

  constructor(response: ServerResponse, headers: () => Record<string, string>, dialect: Dialect, shape: AnswerShape) {
    this.#response = response
    this.#headers = headers
    this.#dialect = dialect
    this.#writer = dialect.stream(shape)
    this.#keepAlive = setInterval(() => this.#look(), KEEP_ALIVE_MS / LOOKS)
    response.once('close', () => this.#stop())
    // The caller may have left while its body was read.
    if (response.destroyed) this.#stop()
  }

  prepare(head: AnswerHead): void {
    this.#head = head
  }

  chunk(chunk: AnswerChunk): boolean {
    const text = this.#writer.chunk(chunk)
    if (this.#isOver || text === '') return true
    this.#open()
    this.#silentLooks = 0
    return this.#write(text)
  }

  drained(): Promise<void> {
    const { socket } = this.#response
    if (socket === null || socket.destroyed || !socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }

  close(usage: Usage, cost: NanoUsd | undefined): void {
    if (this.#isOver) return
    this.#open()
    this.#stop()
    this.#response.end(this.#writer.end(usage, cost))
  }

  /** Never ends as a whole answer does: SDKs take a clean end for success. */
  fail(error: SwitchyardError): void {
    if (this.#isOver) return
    this.#stop()
    if (this.#isOpen) {
      this.#response.end(this.#writer.fail(error))
      return
    }
    const headers = this.#headers()
    if (this.#head !== undefined) Object.assign(headers, answerHeaders(this.#head))
    sendError(this.#response, inOwnWords(error, this.#dialect), headers, this.#dialect)
  }

  #open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    const headers = this.#headers()
    if (this.#head !== undefined) Object.assign(headers, answerHeaders(this.#head))
    headers['content-type'] = 'text/event-stream; charset=utf-8'
    headers['cache-control'] = 'no-cache'
    // Tells nginx and its kin not to collect the stream.
    headers['x-accel-buffering'] = 'no'
    headers['transfer-encoding'] = 'chunked'
    this.#response.writeHead(200, headers)
    this.#response.flushHeaders()
  }

  /**
   * Writes one chunk of the chunked coding (RFC 9112 section 7.1) in one piece: `response.write` makes three of it, which costs
   * more than all the rest of relaying an event. A pipelined response has no socket before its turn and goes the ordinary way.
   */
  #write(text: string): boolean {
    const { socket } = this.#response
    if (socket === null || this.#response.destroyed) return this.#response.write(text)
    const bytes = Buffer.byteLength(text)
    return socket.write(`${bytes.toString(16)}\r\n${text}\r\n`, bytes === text.length ? 'latin1' : 'utf8')
  }

  #look(): void {
    this.#silentLooks += 1
    if (this.#silentLooks < LOOKS) return
    this.#silentLooks = 0
    this.#open()
    this.#write(this.#writer.keepAlive)
  }

  #stop(): void {
    this.#isOver = true
    clearInterval(this.#keepAlive)
  }
}
