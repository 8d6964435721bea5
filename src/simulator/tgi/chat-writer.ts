import type { SimChoice, SimRequest } from '../compose.ts'
import { wholeInput, type UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import { generationFailure } from './errors.ts'

export interface TgiContext {
  readonly created: number
  readonly model: string
}

export const FINGERPRINT = '3.3.6-simulated'

/**
 * Writes chat answers as TGI 3.3 does (router/src/chat.rs): no id, the role in every delta, the finish reason beside the last token,
 * `stop` also after a tool call, and calls numbered from "0".
 */
export class TgiChatWriter implements AnswerWriter {
  readonly contentType = 'text/event-stream'
  readonly #context: TgiContext
  readonly #wantsUsage: boolean
  #toCome = 0
  #held: object | undefined

  constructor(context: TgiContext, request: SimRequest) {
    this.#context = context
    this.#wantsUsage = request.stream_options?.include_usage === true
  }

  whole([choice]: readonly SimChoice[], usage: UsedTokens | undefined): object {
    const { created, model } = this.#context
    const { toolCalls = [], tokens = [] } = choice ?? {}
    const message =
      toolCalls.length === 0
        ? { role: 'assistant', content: tokens.join('') }
        : {
            role: 'assistant',
            tool_calls: toolCalls.map((call, at) => ({
              id: String(at),
              type: 'function',
              function: { description: null, name: call.name, arguments: call.arguments },
            })),
          }
    return {
      object: 'chat.completion',
      id: '',
      created,
      model,
      system_fingerprint: FINGERPRINT,
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(choice) }],
      ...(usage === undefined ? {} : { usage: usageOf(usage) }),
    }
  }

  begin([choice]: readonly SimChoice[]): string {
    this.#toCome = (choice?.tokens.length ?? 0) + (choice?.toolCalls.length ?? 0)
    return ''
  }

  thinking(): string {
    return ''
  }

  text(_: number, token: string): string {
    return this.#last({ role: 'assistant', content: token })
  }

  call(_: number, index: number, call: SimChoice['toolCalls'][number]): string {
    const part = (name: string | null, text: string): object => ({
      role: 'assistant',
      tool_calls: [{ index: 0, id: String(index), type: 'function', function: { name, arguments: text } }],
    })
    return (
      this.#frame(part(call.name, call.arguments.slice(0, 1)), null) + this.#last(part(null, call.arguments.slice(1)))
    )
  }

  end([choice]: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const { created, model } = this.#context
    const last = this.#frame(this.#held ?? { role: 'assistant', content: '' }, finishOf(choice))
    const counted =
      usage === undefined || !this.#wantsUsage
        ? ''
        : `data: ${JSON.stringify({ object: 'chat.completion.chunk', id: '', created, model, system_fingerprint: FINGERPRINT, choices: [], usage: usageOf(usage) })}\n\n`
    return `${last}${counted}data: [DONE]\n\n`
  }

  failure(): string {
    return `data: ${JSON.stringify(generationFailure)}\n\n`
  }

  /** The last delta waits for the finish reason that goes with it. */
  #last(delta: object): string {
    this.#toCome -= 1
    if (this.#toCome > 0) return this.#frame(delta, null)
    this.#held = delta
    return ''
  }

  #frame(delta: object, finish: string | null): string {
    const { created, model } = this.#context
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
    return `data: ${JSON.stringify({ object: 'chat.completion.chunk', id: '', created, model, system_fingerprint: FINGERPRINT, choices, usage: null })}\n\n`
  }
}

function finishOf(choice: SimChoice | undefined): string {
  return choice?.finish === 'length' ? 'length' : 'stop'
}

function usageOf({ input, output }: UsedTokens): object {
  const prompt = wholeInput(input)
  const completion = output.visible + output.thinking
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
