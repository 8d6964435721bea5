import type { AnswerEvent } from '../../protocol/answer.ts'
import { FrameDecoder } from '../frame-decoder.ts'
import { GoogleAnswerReader } from './answer-reader.ts'

/** Decodes `:streamGenerateContent?alt=sse`. It has no last frame: whole it is when every candidate has its `finishReason`. */
export class GoogleStreamDecoder extends FrameDecoder<GoogleAnswerReader> {
  #events: AnswerEvent[] = []

  constructor(requestBytes: number) {
    super(new GoogleAnswerReader(requestBytes))
  }

  /** The end of the connection is the end of the answer. */
  override get isDone(): boolean {
    return false
  }

  protected override taken(): readonly AnswerEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  protected override frame(response: unknown): void {
    this.reader.take(response, this.#events)
    this.error = this.reader.error
  }
}
