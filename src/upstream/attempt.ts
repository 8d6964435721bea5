/**
 * One try at one replica: sends, keeps the time, decodes, hands on. The hot path of the relay: one undici handler, one timer, no
 * promise per chunk.
 */
import type { Dispatcher } from 'undici'
import { isContent, type AnswerChunk, type AnswerEvent, type Usage } from '../protocol/answer.ts'
import type { Billing, ChunkConsumer } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import type { Adapter, AnswerDecoder, Sent } from './adapter.ts'
import { fromNetworkError } from './network-error.ts'
import { failure } from './openai/errors.ts'
import type { Timeouts } from './options.ts'

/** A whole answer larger than this is not an answer. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024
/** As much of a refusal as is needed to understand it. */
const MAX_REFUSAL_BYTES = 64 * 1024
/** How long a server may keep its connection open after `[DONE]` before it is closed, ms. */
const LINGER_MS = 1000

export type AttemptEnd =
  | { readonly kind: 'complete'; readonly usage: Usage }
  | {
      readonly kind: 'failed'
      readonly error: SwitchyardError
      readonly usage: Usage | undefined
      readonly billing: Billing
      readonly contentSent: boolean
      /** The connection broke before a byte of the answer came, as idle connections do that a server has just closed. */
      readonly isStaleSocket: boolean
    }
  | {
      readonly kind: 'aborted'
      readonly usage: Usage | undefined
      readonly billing: Billing
      readonly contentSent: boolean
    }

export interface AttemptOptions {
  readonly adapter: Adapter
  readonly consumer: ChunkConsumer
  readonly timeouts: Timeouts
  /** Whether a stream was asked for. */
  readonly stream: boolean
  readonly requestBytes: number
  readonly choices: number
  readonly sent: Sent
  readonly now: () => number
}

type Phase = 'sent' | 'head' | 'refusal' | 'whole' | 'stream' | 'over'

export class Attempt implements Dispatcher.DispatchHandler {
  readonly result: Promise<AttemptEnd>
  readonly #options: AttemptOptions
  readonly #resolve: (end: AttemptEnd) => void
  readonly #startedMs: number
  #controller: Dispatcher.DispatchController | undefined
  #phase: Phase = 'sent'
  #isAborted = false
  #status = 0
  #headers: Readonly<Record<string, unknown>> = {}
  #body: Buffer[] = []
  #bodyBytes = 0
  #decoder: AnswerDecoder | undefined
  #contentSent = false
  /** Start and role, held back until there is something to see: a retry must stay invisible. */
  #held: AnswerChunk | undefined
  #deadlineMs: number
  #deadlineCode: 'upstream_timeout' | 'upstream_idle_timeout' = 'upstream_timeout'
  #timer: NodeJS.Timeout | undefined
  #isPaused = false

  constructor(options: AttemptOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<AttemptEnd>()
    this.result = promise
    this.#resolve = resolve
    this.#startedMs = options.now()
    this.#deadlineMs = this.#startedMs + options.timeouts.connectMs + options.timeouts.firstByteMs
    this.#arm()
  }

  /** The caller has left: closes the connection and settles with what was produced. */
  abort(): void {
    if (this.#phase === 'over') return
    this.#isAborted = true
    const usage = this.#phase === 'sent' ? undefined : this.#usage()
    this.#finish({ kind: 'aborted', usage, billing: this.#billing(), contentSent: this.#contentSent })
    this.#controller?.abort(new Error('The caller has left.'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isAborted || this.#phase === 'over') controller.abort(new Error('No longer wanted.'))
    else this.#deadlineMs = this.#options.now() + this.#options.timeouts.firstByteMs
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (this.#phase === 'over' || status < 200) return
    this.#status = status
    this.#headers = headers
    const type = String(headers['content-type'] ?? '')
    if (status !== 200) this.#phase = 'refusal'
    else if (type.startsWith('text/html')) this.#phase = 'refusal'
    else if (type.startsWith('application/json') || !this.#options.stream) {
      this.#phase = 'whole'
      this.#touch()
    } else {
      this.#phase = 'head'
      this.#decoder = this.#newDecoder()
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    switch (this.#phase) {
      case 'head':
      case 'stream':
        this.#takeStream(controller, bytes)
        return
      case 'whole':
      case 'refusal':
        this.#collect(bytes)
        return
      case 'sent':
      case 'over':
        return
      default:
        this.#phase satisfies never
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    switch (this.#phase) {
      case 'refusal':
        this.#fail(this.#refusal(), undefined)
        return
      case 'whole':
        this.#takeWhole()
        return
      case 'head':
      case 'stream':
        this.#endStream()
        return
      case 'over':
        return
      case 'sent':
        this.#finish({
          kind: 'failed',
          error: failure('upstream_empty'),
          usage: undefined,
          billing: this.#billing(),
          contentSent: false,
          isStaleSocket: false,
        })
        return
      default:
        this.#phase satisfies never
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, thrown: Error): void {
    clearTimeout(this.#timer)
    if (this.#phase === 'over') return
    if (this.#phase === 'sent') {
      const { error, isStaleSocket } = fromNetworkError(thrown)
      this.#finish({
        kind: 'failed',
        error,
        usage: undefined,
        billing: this.#billing(),
        contentSent: false,
        isStaleSocket,
      })
    } else if (this.#phase === 'refusal') this.#fail(this.#refusal(), undefined)
    else if (this.#decoder === undefined) this.#fail(truncated(thrown.message), this.#usage())
    else this.#endBroken(truncated(thrown.message))
  }

  #takeStream(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    const decoder = this.#decoder as AnswerDecoder
    let chunk: AnswerChunk | undefined
    try {
      chunk = decoder.feed(bytes)
    } catch (thrown) {
      this.#endBroken(thrown instanceof SwitchyardError ? thrown : failure('upstream_garbage', { cause: thrown }))
      controller.abort(new Error('The answer cannot be read.'))
      return
    }
    if (chunk !== undefined) {
      this.#phase = 'stream'
      this.#touch()
      if (!this.#emit(chunk)) this.#pause(controller)
    }
    if (decoder.error !== undefined) {
      this.#endBroken(decoder.error)
      controller.abort(new Error('The answer cannot be used.'))
    } else if (decoder.isDone) {
      this.#endStream()
      // A well-behaved server ends its response now; one that does not is cut off, so that its connection does not leak.
      this.#timer = setTimeout(
        () => controller.abort(new Error('The connection stayed open after the end.')),
        LINGER_MS,
      )
      this.#timer.unref()
    }
  }

  /** Hands a chunk on, with what was held back before it. False = stop reading. */
  #emit(chunk: AnswerChunk): boolean {
    const held = this.#held
    const whole = held === undefined ? chunk : merge(held, chunk)
    if (!this.#contentSent && !whole.events.some(showsSomething)) {
      this.#held = whole
      return true
    }
    this.#held = undefined
    if (!this.#contentSent) this.#contentSent = whole.events.some(isContent)
    return this.#options.consumer.chunk(whole)
  }

  #pause(controller: Dispatcher.DispatchController): void {
    if (this.#isPaused) return
    this.#isPaused = true
    controller.pause()
    void this.#options.consumer.drained().then(() => {
      this.#isPaused = false
      this.#touch()
      if (this.#phase !== 'over' || this.#decoder !== undefined) controller.resume()
    })
  }

  #endStream(): void {
    const decoder = this.#decoder as AnswerDecoder
    if (!decoder.isDone) {
      try {
        const rest = decoder.end()
        if (rest !== undefined) this.#emit(rest)
      } catch (thrown) {
        this.#endBroken(failure('upstream_garbage', { cause: thrown }))
        return
      }
    }
    if (decoder.error !== undefined) this.#endBroken(decoder.error)
    else if (decoder.hasFinish) this.#complete(decoder.usage())
    else if (decoder.hasChoices) this.#endBroken(truncated('no finish_reason before the end'))
    else this.#fail(failure('upstream_empty', { detail: 'a stream without a choice' }), undefined)
  }

  /** The stream broke. After the finish of a choice nothing of the answer is missing, only its usage. */
  #endBroken(error: SwitchyardError): void {
    const decoder = this.#decoder as AnswerDecoder
    if (decoder.hasFinish && decoder.error === undefined) {
      this.#complete(decoder.usage())
      return
    }
    if (decoder.isMidEvent && decoder.hasChoices) this.#showBeginning()
    this.#fail(error, decoder.hasChoices ? decoder.usage() : undefined)
  }

  /** Content had begun to arrive when the stream broke: the answer counts as begun, it is shown so far and never tried elsewhere. */
  #showBeginning(): void {
    if (this.#held === undefined || this.#phase === 'over') return
    this.#options.consumer.chunk(this.#held)
    this.#held = undefined
    this.#contentSent = true
  }

  #takeWhole(): void {
    const { adapter, requestBytes, sent } = this.#options
    const [first] = this.#body
    const bytes = first !== undefined && this.#body.length === 1 ? first : Buffer.concat(this.#body)
    const answer = adapter.whole(bytes.toString(), requestBytes, sent)
    if ('error' in answer) {
      this.#fail(answer.error, answer.usage)
      return
    }
    this.#contentSent = true
    this.#options.consumer.chunk({ events: answer.events })
    this.#complete(answer.usage)
  }

  #collect(bytes: Buffer): void {
    const limit = this.#phase === 'whole' ? MAX_WHOLE_BYTES : MAX_REFUSAL_BYTES
    this.#bodyBytes += bytes.length
    if (this.#bodyBytes <= limit) {
      this.#body.push(bytes)
      if (this.#phase === 'whole') this.#touch()
      return
    }
    const error =
      this.#phase === 'whole'
        ? new SwitchyardError('upstream_event_too_large', 'The model server sent an answer that is too large to relay.')
        : this.#refusal()
    this.#fail(error, undefined)
    this.#controller?.abort(new Error('Too large.'))
  }

  #refusal(): SwitchyardError {
    const body = Buffer.concat(this.#body).toString().slice(0, MAX_REFUSAL_BYTES)
    if (this.#status === 200) return failure('upstream_garbage', { detail: 'an HTML page with status 200' })
    return this.#options.adapter.refusal(this.#status, this.#headers, body)
  }

  #complete(usage: Usage): void {
    if (this.#held !== undefined && this.#phase !== 'over') {
      const held = this.#held
      this.#held = undefined
      this.#options.consumer.chunk(held)
    }
    this.#finish({ kind: 'complete', usage })
  }

  #fail(error: SwitchyardError, usage: Usage | undefined): void {
    const billing = usage === undefined ? this.#billing() : 'used'
    this.#finish({ kind: 'failed', error, usage, billing, contentSent: this.#contentSent, isStaleSocket: false })
  }

  /**
   * What is known of the cost when no usage is: nothing was sent before a connection stood; a refusal with a 4xx comes before any
   * work, except 408, which like a 5xx may come from a proxy that gave up waiting; of a stream our own count is kept; everything
   * else may have been computed to the end.
   */
  #billing(): Billing {
    if (this.#controller === undefined) return 'none'
    if (this.#phase === 'refusal')
      return this.#status >= 400 && this.#status < 500 && this.#status !== 408 ? 'none' : 'unknown'
    return this.#isAborted && this.#decoder !== undefined ? 'used' : 'unknown'
  }

  #finish(end: AttemptEnd): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    clearTimeout(this.#timer)
    this.#resolve(end)
  }

  #usage(): Usage | undefined {
    return (this.#decoder ?? this.#newDecoder()).usage()
  }

  #newDecoder(): AnswerDecoder {
    const { adapter, requestBytes, choices, sent } = this.#options
    return adapter.stream(requestBytes, choices, sent)
  }

  /** Content arrived: the clock of silence starts anew. Costs one read of the clock; the timer looks later. */
  #touch(): void {
    this.#deadlineMs = this.#options.now() + this.#options.timeouts.idleMs
    this.#deadlineCode = 'upstream_idle_timeout'
  }

  #arm(): void {
    const { now, timeouts } = this.#options
    const waitMs = Math.min(this.#deadlineMs, this.#startedMs + timeouts.totalMs) - now()
    this.#timer = setTimeout(() => this.#check(), Math.max(1, Math.ceil(waitMs)))
  }

  #check(): void {
    if (this.#phase === 'over') return
    const now = this.#options.now()
    const isTotal = now >= this.#startedMs + this.#options.timeouts.totalMs
    // While the caller does not read, silence is ours and not the server's.
    if (!isTotal && (this.#isPaused || now < this.#deadlineMs)) {
      if (this.#isPaused) this.#touch()
      this.#arm()
      return
    }
    const error =
      !isTotal && this.#deadlineCode === 'upstream_idle_timeout'
        ? new SwitchyardError('upstream_idle_timeout', 'The model server went silent in the middle of its answer.')
        : failure('upstream_timeout', {
            detail: isTotal ? 'total time' : `no answer within ${this.#options.timeouts.firstByteMs} ms`,
          })
    const controller = this.#controller
    if (this.#decoder === undefined) this.#fail(error, undefined)
    else this.#endBroken(error)
    controller?.abort(new Error('Time is up.'))
  }
}

function showsSomething(event: AnswerEvent): boolean {
  return isContent(event) || event.type === 'finish'
}

function merge(a: AnswerChunk, b: AnswerChunk): AnswerChunk {
  const events = [...a.events, ...b.events]
  return a.wire === undefined || b.wire === undefined ? { events } : { events, wire: a.wire + b.wire }
}

function truncated(detail: string): SwitchyardError {
  return new SwitchyardError('upstream_stream_truncated', 'The model server ended its answer in the middle.', {
    detail,
  })
}
