import type { SimChoice, SimRequest } from '../compose.ts'
import type { UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import { finishReason, usageOf, type ChatContext } from './chat-body.ts'

/** Writes answers of `POST /v1/completions`: text beside the index, no roles and no calls. */
export class TextWriter implements AnswerWriter {
  readonly contentType = 'text/event-stream; charset=utf-8'
  readonly #context: ChatContext
  readonly #wantsUsage: boolean

  constructor(context: ChatContext, request: SimRequest) {
    this.#context = context
    this.#wantsUsage = request.stream_options?.include_usage === true
  }

  whole(choices: readonly SimChoice[], usage: UsedTokens | undefined): object {
    return {
      ...this.#head(),
      choices: choices.map((choice, index) => choiceOf(index, choice.tokens.join(''), finishReason(choice))),
      ...(usage === undefined ? {} : { usage: usageOf(this.#context.flavour, usage) }),
    }
  }

  begin(): string {
    return ''
  }

  thinking(): string {
    return ''
  }

  text(choice: number, token: string): string {
    return this.#frame([choiceOf(choice, token, null)])
  }

  call(): string {
    return ''
  }

  end(choices: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const ends = choices.map((choice, index) => this.#frame([choiceOf(index, '', finishReason(choice))])).join('')
    const counted =
      usage === undefined || !this.#wantsUsage ? '' : this.#frame([], { usage: usageOf(this.#context.flavour, usage) })
    return `${ends}${counted}data: [DONE]\n\n`
  }

  failure(): string {
    const error = { message: 'The engine failed.', type: 'server_error', param: null, code: 500 }
    return `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`
  }

  #head(): object {
    const { id, created, model } = this.#context
    return { id: id.replace('chatcmpl-', 'cmpl-'), object: 'text_completion', created, model }
  }

  #frame(choices: readonly object[], more: object = {}): string {
    return `data: ${JSON.stringify({ ...this.#head(), choices, ...more })}\n\n`
  }
}

function choiceOf(index: number, text: string, finish: string | null): object {
  return { index, text, logprobs: null, finish_reason: finish }
}
