import type { AnswerChunk, Usage } from '../../protocol/answer.ts'
import { SseDecoder } from '../../protocol/sse.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerDecoder } from '../adapter.ts'
import { failure } from '../openai/errors.ts'
import { AnswerReader } from './answer-reader.ts'
import { endingOf, fromFailure } from './ending.ts'
import { isFields, record, type Fields } from './fields-of.ts'

/**
 * Decodes a stream of the Responses API into events. Only `response.completed`, `.incomplete` and `.failed` end it: a stream that
 * stops before is broken. Events that are not listed here add nothing to those that are, or belong to hosted tools, and are skipped.
 */
export class StreamDecoder implements AnswerDecoder {
  error: SwitchyardError | undefined
  isDone = false
  readonly #sse = new SseDecoder((data) => this.#take(data))
  readonly #reader: AnswerReader
  #isEnding = false
  #wasCutMidEvent = false

  constructor(requestBytes: number) {
    this.#reader = new AnswerReader(requestBytes)
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
    if (this.isDone || this.error !== undefined || data === '[DONE]') return
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
    const { output_index: at, content_index: part, summary_index: summary, delta } = event
    const index = typeof at === 'number' ? at : 0
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
        this.#reader.start(record(event['response']))
        break
      case 'response.output_item.added':
        this.#reader.open(index, record(event['item']))
        break
      case 'response.output_item.done':
        this.#reader.close(index, record(event['item']))
        break
      case 'response.output_text.delta':
        this.#reader.text(index, part, delta, event['logprobs'])
        break
      case 'response.output_text.annotation.added':
        this.#reader.annotation(index, event['annotation'])
        break
      case 'response.refusal.delta':
        this.#reader.refusal(index, part, delta)
        break
      case 'response.reasoning_summary_text.delta':
        this.#reader.reasoning(index, 'summary', summary, delta)
        break
      case 'response.reasoning_text.delta':
        this.#reader.reasoning(index, 'content', part, delta)
        break
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        this.#reader.arguments(index, delta)
        break
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#finish(record(event['response']))
        break
      case 'error':
        // The fields stand beside the type; some servers nest them.
        this.error = fromFailure(isFields(event['error']) ? event['error'] : event)
        break
      case undefined:
        if (isFields(event['error'])) this.error = fromFailure(event['error'])
        break
      default:
    }
  }

  #finish(response: Fields): void {
    const ending = endingOf(response)
    if (ending instanceof SwitchyardError) {
      if (isFields(response['usage'])) this.#reader.count(response)
      this.error = ending
      return
    }
    this.#reader.finish(response, ending)
    this.isDone = true
  }
}
