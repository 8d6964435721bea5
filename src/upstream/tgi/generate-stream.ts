import type { AnswerEvent } from '../../protocol/answer.ts'
import { FrameDecoder } from '../frame-decoder.ts'
import type { GenerateReader } from './generate-reader.ts'

/** Decodes `/generate_stream`: one token a frame, and the frame with `details` is the last. */
export class GenerateStreamDecoder extends FrameDecoder<GenerateReader> {
  #events: AnswerEvent[]

  /** `start` says who answers: the frames do not. */
  constructor(reader: GenerateReader, start: AnswerEvent) {
    super(reader)
    this.#events = [start]
  }

  override get isDone(): boolean {
    return this.reader.hasFinish
  }

  protected override taken(): readonly AnswerEvent[] {
    if (!this.reader.hasStarted) return []
    const events = this.#events
    this.#events = []
    return events
  }

  protected override frame(frame: unknown): void {
    this.reader.take(frame, this.#events)
    this.error = this.reader.error
  }
}
