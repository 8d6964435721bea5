import type { AnswerChunk, AnswerEvent, Usage } from '../../protocol/answer.ts'
import { SseDecoder } from '../../protocol/sse.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerDecoder } from '../adapter.ts'
import { failure } from '../openai/errors.ts'
import type { GenerateReader } from './generate-reader.ts'

/** Decodes `/generate_stream`: one token a frame, and the frame with `details` is the last. */
export class GenerateStreamDecoder implements AnswerDecoder {
  readonly #reader: GenerateReader
  readonly #sse = new SseDecoder((data) => this.#take(data))
  #events: AnswerEvent[]
  #garbage: SwitchyardError | undefined
  #isEnding = false
  #wasCut = false

  /** `start` says who answers: the frames do not. */
  constructor(reader: GenerateReader, start: AnswerEvent) {
    this.#reader = reader
    this.#events = [start]
  }

  get error(): SwitchyardError | undefined {
    return this.#garbage ?? this.#reader.error
  }
  get isDone(): boolean {
    return this.#reader.isFinished
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
    if (this.#events.length === 0 || !this.#reader.hasBegun) return undefined
    const events = this.#events
    this.#events = []
    return { events }
  }

  #take(data: string): void {
    if (this.error !== undefined || data === '[DONE]') return
    let frame: unknown
    try {
      frame = JSON.parse(data)
    } catch {
      if (this.#isEnding) this.#wasCut = true
      else this.#garbage = failure('upstream_garbage', { detail: `a frame that is not JSON: ${data.slice(0, 200)}` })
      return
    }
    this.#reader.take(frame, this.#events)
  }
}
