import type { SwitchyardError } from '../../shared/errors.ts'
import type { NanoUsd } from '../../shared/money.ts'
import type { AnswerChunk, AnswerEvent, FinishReason, Usage } from '../answer.ts'
import type { AnswerShape, Dialect, StreamWriter, WholeWriter } from '../dialect.ts'
import { DONE, encodeErrorFrame } from '../openai-chat/encode-chunk.ts'
import { errorBody } from '../openai-chat/error-body.ts'
import { usageBody } from '../openai-chat/usage-body.ts'
import { decodeCompletionRequest } from './decode-request.ts'

/** `POST /v1/completions` (OpenAI API reference, create completion): a raw prompt goes on, without messages and without a template. */
export const openAiCompletions: Dialect = {
  name: 'openai-completions',
  decode: decodeCompletionRequest,
  whole: (shape) => new TextCollector(shape),
  stream: (shape) => new TextChunks(shape),
  errorBody,
}

class TextCollector implements WholeWriter {
  #head: string
  readonly #choices = new Map<number, { text: string; finish: FinishReason | undefined }>()

  constructor(shape: AnswerShape) {
    this.#head = headOf(`cmpl-${shape.id}`, shape.created, shape.request.model)
  }

  add(chunk: AnswerChunk): void {
    for (const event of chunk.events) {
      if (event.type === 'start') this.#head = headOf(event.id, event.created, event.model)
      else if (event.type === 'finish') this.#choice(event.choice).finish = event.reason
      else if (isText(event)) this.#choice(event.choice).text += event.text
    }
  }

  render(usage: Usage, cost: NanoUsd | undefined): string {
    const choices = [...this.#choices]
      .sort(([a], [b]) => a - b)
      .map(([index, { text, finish }]) => choiceOf(index, text, finish))
    return `{${this.#head}"choices":[${choices.join(',')}],"usage":${usageBody(usage, cost)}}`
  }

  #choice(index: number): { text: string; finish: FinishReason | undefined } {
    const known = this.#choices.get(index) ?? { text: '', finish: undefined }
    this.#choices.set(index, known)
    return known
  }
}

class TextChunks implements StreamWriter {
  readonly keepAlive = ': keep-alive\n\n'
  readonly #includeUsage: boolean
  #head: string

  constructor(shape: AnswerShape) {
    this.#includeUsage = shape.request.includeUsage
    this.#head = headOf(`cmpl-${shape.id}`, shape.created, shape.request.model)
  }

  chunk(chunk: AnswerChunk): string {
    let frames = ''
    for (const event of chunk.events) {
      if (event.type === 'start') this.#head = headOf(event.id, event.created, event.model)
      else if (event.type === 'finish') frames += this.#frame(choiceOf(event.choice, '', event.reason))
      else if (isText(event) && event.text !== '') frames += this.#frame(choiceOf(event.choice, event.text, undefined))
    }
    return frames
  }

  end(usage: Usage, cost: NanoUsd | undefined): string {
    return this.#includeUsage ? `data: {${this.#head}"choices":[],"usage":${usageBody(usage, cost)}}\n\n${DONE}` : DONE
  }

  fail(error: SwitchyardError): string {
    return encodeErrorFrame(error)
  }

  #frame(choice: string): string {
    return `data: {${this.#head}"choices":[${choice}]${this.#includeUsage ? ',"usage":null' : ''}}\n\n`
  }
}

/** A refusal is text like any other here; thinking has no place in this form. */
function isText(event: AnswerEvent): event is Extract<AnswerEvent, { type: 'text' | 'refusal' }> {
  return event.type === 'text' || event.type === 'refusal'
}

function headOf(id: string, created: number, model: string): string {
  return `"id":${JSON.stringify(id)},"object":"text_completion","created":${created},"model":${JSON.stringify(model)},`
}

function choiceOf(index: number, text: string, finish: FinishReason | undefined): string {
  const reason = finish === undefined ? 'null' : `"${finish}"`
  return `{"index":${index},"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":${reason}}`
}
