import type { SimChoice } from '../compose.ts'
import { wholeInput, type UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import { generationFailure } from './errors.ts'

export interface GenerateContext {
  readonly wantsDetails: boolean
  /** Put before the generated text (`return_full_text`). */
  readonly before: string
  readonly seed: number | null
}

/** Writes answers of TGI's native `/generate` and `/generate_stream`: a token per event, text and details with the last one. */
export class GenerateWriter implements AnswerWriter {
  readonly contentType = 'text/event-stream'
  readonly #context: GenerateContext
  #index = 0
  #toCome = 0
  #held: object | undefined

  constructor(context: GenerateContext) {
    this.#context = context
  }

  whole([choice]: readonly SimChoice[], usage: UsedTokens | undefined): object {
    const { wantsDetails, before, seed } = this.#context
    const tokens = choice?.tokens ?? []
    const text = { generated_text: before + tokens.join('') }
    if (!wantsDetails || usage === undefined) return text
    const generated = usage.output.visible + usage.output.thinking
    const details = { finish_reason: finishOf(choice), generated_tokens: generated, seed, prefill: [] }
    return { ...text, details: { ...details, tokens: tokens.map((token) => tokenOf(token)) } }
  }

  begin([choice]: readonly SimChoice[]): string {
    this.#toCome = choice?.finish === 'length' ? choice.tokens.length : 0
    return ''
  }

  thinking(): string {
    return ''
  }

  text(_: number, token: string): string {
    const event = { index: ++this.#index, token: tokenOf(token) }
    // A text that was cut has no end-of-sequence token; its own last one carries the details.
    if (--this.#toCome === 0) {
      this.#held = event
      return ''
    }
    return frame({ ...event, generated_text: null, details: null })
  }

  call(_: number, __: number, call: SimChoice['toolCalls'][number]): string {
    return this.text(0, call.arguments)
  }

  end([choice]: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const last = this.#held ?? { index: this.#index + 1, token: { id: 2, text: '</s>', logprob: 0, special: true } }
    const details =
      usage === undefined
        ? null
        : {
            finish_reason: finishOf(choice),
            generated_tokens: usage.output.visible + usage.output.thinking,
            seed: this.#context.seed,
            input_length: wholeInput(usage.input),
          }
    return frame({ ...last, generated_text: this.#context.before + (choice?.tokens.join('') ?? ''), details })
  }

  failure(): string {
    return frame(generationFailure)
  }
}

function frame(body: object): string {
  return `data:${JSON.stringify(body)}\n\n`
}

function tokenOf(text: string): object {
  return { id: text.codePointAt(0) ?? 0, text, logprob: -0.25, special: false }
}

function finishOf(choice: SimChoice | undefined): string {
  if (choice?.finish === 'length') return 'length'
  return choice?.stopSequence === undefined ? 'eos_token' : 'stop_sequence'
}
