import type { SimChoice, SimRequest } from '../compose.ts'
import type { UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import { finishReason, frameOf, usageFrame, usageOf, wholeBody, type ChatContext } from './chat-body.ts'

/** Writes an answer as OpenAI and vLLM do; what was thought is counted and not shown. */
export class ChatWriter implements AnswerWriter {
  readonly contentType = 'text/event-stream; charset=utf-8'
  readonly #context: ChatContext
  readonly #wantsUsage: boolean
  #refusals: readonly boolean[] = []

  constructor(context: ChatContext, request: SimRequest) {
    this.#context = context
    this.#wantsUsage = request.stream_options?.include_usage === true
  }

  whole(choices: readonly SimChoice[], usage: UsedTokens | undefined): object {
    return wholeBody(this.#context, choices, usage && usageOf(this.#context.flavour, usage))
  }

  begin(choices: readonly SimChoice[]): string {
    this.#refusals = choices.map((choice) => choice.finish === 'refusal')
    return choices.map((_, at) => frameOf(this.#context, at, { role: 'assistant', content: '' }, null)).join('')
  }

  thinking(): string {
    return ''
  }

  text(choice: number, token: string): string {
    const delta = this.#refusals[choice] === true ? { refusal: token } : { content: token }
    return frameOf(this.#context, choice, delta, null, token)
  }

  call(choice: number, index: number, call: SimChoice['toolCalls'][number]): string {
    const started = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
    return (
      frameOf(this.#context, choice, { tool_calls: [started] }, null) +
      frameOf(this.#context, choice, { tool_calls: [{ index, function: { arguments: call.arguments } }] }, null)
    )
  }

  end(choices: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const ends = choices.map((choice, at) => frameOf(this.#context, at, {}, finishReason(choice))).join('')
    const counted =
      usage === undefined || !this.#wantsUsage ? '' : usageFrame(this.#context, usageOf(this.#context.flavour, usage))
    return `${ends}${counted}data: [DONE]\n\n`
  }

  failure(): string {
    const error = { message: 'The engine failed.', type: 'server_error', param: null, code: 500 }
    return `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`
  }
}
