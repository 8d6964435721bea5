import type { AnswerEvent } from '../../protocol/answer.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { FrameDecoder } from '../frame-decoder.ts'
import { isFields, record, type Fields } from '../frame-fields.ts'
import { AnswerReader } from './answer-reader.ts'
import { endingOf, fromFailure } from './ending.ts'

/**
 * Decodes a stream of the Responses API into events. Only `response.completed`, `.incomplete` and `.failed` end it: a stream that
 * stops before is broken. Events that are not listed here add nothing to those that are, or belong to hosted tools, and are skipped.
 */
export class StreamDecoder extends FrameDecoder<AnswerReader> {
  #isDone = false

  constructor(requestBytes: number) {
    super(new AnswerReader(requestBytes))
  }

  override get isDone(): boolean {
    return this.#isDone
  }

  override get hasFinish(): boolean {
    return this.#isDone && this.reader.hasFinish
  }

  protected override taken(): readonly AnswerEvent[] {
    return this.reader.take()
  }

  protected override frame(event: unknown): void {
    if (!isFields(event)) return
    const { output_index: at, content_index: part, summary_index: summary, delta } = event
    const index = typeof at === 'number' ? at : 0
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
        this.reader.start(record(event['response']))
        break
      case 'response.output_item.added':
        this.reader.open(index, record(event['item']))
        break
      case 'response.output_item.done':
        this.reader.close(index, record(event['item']))
        break
      case 'response.output_text.delta':
        this.reader.text(index, part, delta, event['logprobs'])
        break
      case 'response.output_text.annotation.added':
        this.reader.annotation(index, event['annotation'])
        break
      case 'response.refusal.delta':
        this.reader.refusal(index, part, delta)
        break
      case 'response.reasoning_summary_text.delta':
        this.reader.reasoning(index, 'summary', summary, delta)
        break
      case 'response.reasoning_text.delta':
        this.reader.reasoning(index, 'content', part, delta)
        break
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        this.reader.arguments(index, delta)
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
      if (isFields(response['usage'])) this.reader.count(response)
      this.error = ending
      return
    }
    this.reader.finish(response, ending)
    this.#isDone = true
  }
}
