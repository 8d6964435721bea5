import type { AnswerEvent } from '../../protocol/answer.ts'
import { FrameDecoder } from '../frame-decoder.ts'
import { failure } from '../openai/errors.ts'
import { isFields, record } from '../frame-fields.ts'
import { AnswerReader } from './answer-reader.ts'
import { fromError } from './errors.ts'

/**
 * Decodes Anthropic's stream (Messages API, "Streaming") into events. Only `message_stop` ends it well: a stream that stops before is
 * broken, even after its stop reason. Events of unknown types are skipped, as the API's versioning rules ask.
 */
export class StreamDecoder extends FrameDecoder<AnswerReader> {
  #isDone = false
  #finish: AnswerEvent | undefined

  constructor(requestBytes: number, created: number) {
    super(new AnswerReader(requestBytes, created))
  }

  override get isDone(): boolean {
    return this.#isDone
  }

  override get hasFinish(): boolean {
    return this.#isDone && this.reader.hasFinish
  }

  /** The finish, which is the last of all events, waits for `message_stop`: a caller must not be told it and then of a cut. */
  protected override taken(): readonly AnswerEvent[] {
    const events = this.reader.take()
    const held = this.#finish
    if (this.#isDone) {
      this.#finish = undefined
      return held === undefined ? events : [...events, held]
    }
    const last = events.at(-1)
    if (last?.type !== 'finish') return events
    this.#finish = last
    return events.slice(0, -1)
  }

  protected override frame(event: unknown): void {
    if (!isFields(event)) return
    const { index: at } = event
    const index = typeof at === 'number' ? at : -1
    switch (event['type']) {
      case 'message_start':
        this.reader.start(record(event['message']))
        break
      case 'content_block_start':
        this.reader.open(index, record(event['content_block']))
        break
      case 'content_block_delta':
        this.reader.delta(index, record(event['delta']))
        break
      case 'content_block_stop':
        this.reader.close(index)
        break
      case 'message_delta':
        this.reader.end(record(event['delta']), event['usage'])
        break
      case 'message_stop':
        this.#isDone = true
        if (!this.reader.hasFinish)
          this.error = failure('upstream_garbage', { detail: 'a message without a stop_reason' })
        break
      case 'error':
        this.error = fromError(event['error'])
        break
      default:
      // `ping`, and whatever a newer API says.
    }
  }
}
