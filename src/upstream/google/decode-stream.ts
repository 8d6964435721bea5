import type { AnswerChunk, AnswerEvent, Usage } from '../../protocol/answer.ts'
import { SseDecoder } from '../../protocol/sse.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerDecoder } from '../adapter.ts'
import { failure } from '../openai/errors.ts'
import { GoogleAnswerReader } from './answer-reader.ts'

/** Decodes `:streamGenerateContent?alt=sse`. It has no last frame: whole it is when every candidate has its `finishReason`. */
export class GoogleStreamDecoder implements AnswerDecoder {
  /** The end of the connection is the end of the answer. */
  readonly isDone = false
  readonly #reader: GoogleAnswerReader
  readonly #sse = new SseDecoder((data) => this.#take(data))
  #events: AnswerEvent[] = []
  #garbage: SwitchyardError | undefined
  #isEnding = false
  #wasCut = false

  constructor(requestBytes: number) {
    this.#reader = new GoogleAnswerReader(requestBytes)
  }

  get error(): SwitchyardError | undefined {
    return this.#garbage ?? this.#reader.error
  }
  get hasFinish(): boolean {
    return this.#reader.isFinished
  }
  get hasChoices(): boolean {
    return this.#reader.hasBegun
  }
  get isMidEvent(): boolean {
    return this.#sse.isMidEvent || this.#wasCut
  }

  feed(bytes: Buffer): AnswerChunk | undefined {
    this.#sse.feed(bytes)
    return this.#flush()
  }

  end(): AnswerChunk | undefined {
    this.#isEnding = true
    this.#sse.end()
    return this.#flush()
  }

  usage(): Usage {
    return this.#reader.usage()
  }

  #flush(): AnswerChunk | undefined {
    if (this.#events.length === 0) return undefined
    const events = this.#events
    this.#events = []
    return { events }
  }

  #take(data: string): void {
    if (this.error !== undefined || data === '[DONE]') return
    let response: unknown
    try {
      response = JSON.parse(data)
    } catch {
      // At the end it is an event that was cut, which the missing finish says better.
      if (this.#isEnding) this.#wasCut = true
      else this.#garbage = failure('upstream_garbage', { detail: `a frame that is not JSON: ${data.slice(0, 200)}` })
      return
    }
    this.#reader.take(response, this.#events)
  }
}
