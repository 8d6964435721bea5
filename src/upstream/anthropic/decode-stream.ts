import type { AnswerChunk, Usage } from '../../protocol/answer.ts'
import { SseDecoder } from '../../protocol/sse.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerDecoder } from '../adapter.ts'
import { failure } from '../openai/errors.ts'
import { AnswerReader } from './answer-reader.ts'
import { fromError } from './errors.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Decodes Anthropic's stream (Messages API, "Streaming") into events. Only `message_stop` ends it well: a stream that stops before is
 * broken, even after its stop reason. Events of unknown types are skipped, as the API's versioning rules ask.
 */
export class StreamDecoder implements AnswerDecoder {
  error: SwitchyardError | undefined
  isDone = false
  readonly #sse = new SseDecoder((data) => this.#take(data))
  readonly #reader: AnswerReader
  #isEnding = false
  #wasCutMidEvent = false

  constructor(requestBytes: number, created: number) {
    this.#reader = new AnswerReader(requestBytes, created)
  }

  get hasFinish(): boolean {
    return this.isDone && this.#reader.hasFinish
  }

  get hasChoices(): boolean {
    return this.#reader.hasStarted
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
    return this.#reader.usage()
  }

  #flush(): AnswerChunk | undefined {
    const events = this.#reader.take()
    return events.length === 0 ? undefined : { events }
  }

  #take(data: string): void {
    if (this.isDone || this.error !== undefined) return
    let event: unknown
    try {
      event = JSON.parse(data)
    } catch {
      this.#wasCutMidEvent = this.#isEnding
      this.error = this.#isEnding
        ? new SwitchyardError('upstream_stream_truncated', 'The model server ended its answer in the middle.')
        : failure('upstream_garbage', { detail: 'a stream frame is not JSON' })
      return
    }
    if (isFields(event)) this.#event(event)
  }

  #event(event: Fields): void {
    const { index: at } = event
    const index = typeof at === 'number' ? at : -1
    switch (event['type']) {
      case 'message_start':
        this.#reader.start(record(event['message']))
        break
      case 'content_block_start':
        this.#reader.open(index, record(event['content_block']))
        break
      case 'content_block_delta':
        this.#reader.delta(index, record(event['delta']))
        break
      case 'content_block_stop':
        this.#reader.close(index)
        break
      case 'message_delta':
        this.#reader.end(record(event['delta']), event['usage'])
        break
      case 'message_stop':
        this.isDone = true
        if (!this.#reader.hasFinish)
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

function record(value: unknown): Fields {
  return isFields(value) ? value : {}
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
