import type { AnswerChunk, AnswerEvent, Usage } from '../protocol/answer.ts'
import { SseDecoder } from '../protocol/sse.ts'
import { SwitchyardError } from '../shared/errors.ts'
import type { AnswerDecoder } from './adapter.ts'
import { failure } from './openai/errors.ts'

/** What reads a provider's answers into events, whole ones and the frames of streams alike. */
export interface FrameReader {
  /** An end to the answer was said. */
  readonly hasFinish: boolean
  /** Something of an answer came. */
  readonly hasStarted: boolean
  usage(): Usage
}

/** Decodes a stream whose frames are JSON (server-sent events): what is the same for every provider but OpenAI's hot path. */
export abstract class FrameDecoder<Reader extends FrameReader> implements AnswerDecoder {
  error: SwitchyardError | undefined
  protected readonly reader: Reader
  readonly #sse = new SseDecoder((data) => this.#take(data))
  #isEnding = false
  #wasCutMidEvent = false

  constructor(reader: Reader) {
    this.reader = reader
  }

  /** Nothing that comes after it belongs to the answer. */
  abstract get isDone(): boolean
  /** Takes one frame; sets `error` where the answer cannot go on. */
  protected abstract frame(frame: unknown): void
  /** Events since the last call. */
  protected abstract taken(): readonly AnswerEvent[]

  get hasFinish(): boolean {
    return this.reader.hasFinish
  }

  get hasChoices(): boolean {
    return this.reader.hasStarted
  }

  get isMidEvent(): boolean {
    return this.#sse.isMidEvent || this.#wasCutMidEvent
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
    return this.reader.usage()
  }

  #flush(): AnswerChunk | undefined {
    const events = this.taken()
    return events.length === 0 ? undefined : { events }
  }

  #take(data: string): void {
    if (this.isDone || this.error !== undefined || data === '[DONE]') return
    let frame: unknown
    try {
      frame = JSON.parse(data)
    } catch {
      if (!this.#isEnding) this.error = failure('upstream_garbage', { detail: 'a stream frame is not JSON' })
      else {
        this.#wasCutMidEvent = true
        // After the finish nothing of the answer is missing.
        if (!this.hasFinish)
          this.error = new SwitchyardError(
            'upstream_stream_truncated',
            'The model server ended its answer in the middle.',
          )
      }
      return
    }
    try {
      this.frame(frame)
    } catch (thrown) {
      // What came before in the same bytes is still told, as it is when the bytes are cut between the frames.
      this.error = thrown instanceof SwitchyardError ? thrown : failure('upstream_garbage', { cause: thrown })
    }
  }
}
