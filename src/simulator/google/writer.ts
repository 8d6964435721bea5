import type { SimChoice } from '../compose.ts'
import { sign } from '../signature.ts'
import { wholeInput, type InputTokens, type UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import type { PromptCount } from './read.ts'

export interface CandidateContext {
  readonly id: string
  readonly model: string
  readonly input: InputTokens
  readonly prompt: PromptCount
  readonly tellsUsage: boolean
  readonly includeThoughts: boolean
  /** Alternatives per token where log-probabilities are wanted. */
  readonly logprobs: number | undefined
  /** `alt=sse`; else a stream is one JSON array that grows. */
  readonly isSse: boolean
}

type Part = Readonly<Record<string, unknown>>

/** Writes an answer as generateContent does: parts of candidates, and with each chunk what has been used so far. */
export class CandidateWriter implements AnswerWriter {
  readonly contentType: string
  readonly #context: CandidateContext
  #produced = { visible: 0, thinking: 0 }
  #isFirst = true

  constructor(context: CandidateContext) {
    this.#context = context
    this.contentType = context.isSse ? 'text/event-stream' : 'application/json; charset=UTF-8'
  }

  whole(choices: readonly SimChoice[], usage: UsedTokens | undefined): object {
    if (choices.length === 0) return { ...BLOCKED, ...this.#tail(usage) }
    const candidates = choices.map((choice, index) => ({
      content: { parts: this.#parts(choice), role: 'model' },
      ...finishOf(choice),
      index,
      ...(this.#context.logprobs === undefined ? {} : this.#logprobs(choice.tokens)),
    }))
    return { candidates, ...this.#tail(usage) }
  }

  begin(choices: readonly SimChoice[]): string {
    return choices.length === 0 ? this.#frame(BLOCKED) : ''
  }

  thinking(choice: number, token: string): string {
    this.#produced.thinking += 1
    return this.#context.includeThoughts ? this.#chunk(choice, { text: token, thought: true }) : ''
  }

  text(choice: number, token: string): string {
    this.#produced.visible += 1
    return this.#chunk(choice, { text: token }, this.#context.logprobs === undefined ? {} : this.#logprobs([token]))
  }

  call(choice: number, index: number, call: SimChoice['toolCalls'][number]): string {
    return this.#chunk(choice, this.#call(call, index))
  }

  end(choices: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const ends = choices.map((choice, index) => {
      const isSigned = choice.thinking.length > 0 && choice.toolCalls.length === 0
      const part = isSigned ? { text: '', thoughtSignature: signatureOf(choice) } : { text: '' }
      const candidates = [{ content: { parts: [part], role: 'model' }, ...finishOf(choice), index }]
      return this.#frame({ candidates }, usage)
    })
    return ends.join('') + (this.#context.isSse ? '' : ']')
  }

  failure(): string {
    const error = { code: 503, message: 'The model is overloaded. Please try again later.', status: 'UNAVAILABLE' }
    return this.#text({ error }) + (this.#context.isSse ? '' : ']')
  }

  #parts(choice: SimChoice): readonly Part[] {
    const thought = choice.thinking.join('')
    const signed = thought === '' || choice.toolCalls.length > 0 ? {} : { thoughtSignature: signatureOf(choice) }
    return [
      ...(thought === '' || !this.#context.includeThoughts ? [] : [{ text: thought, thought: true }]),
      ...(choice.tokens.length === 0 && choice.toolCalls.length > 0
        ? []
        : [{ text: choice.tokens.join(''), ...signed }]),
      ...choice.toolCalls.map((call, index) => this.#call(call, index)),
    ]
  }

  /** Only the first of parallel calls is signed (docs "Thought signatures"). */
  #call(call: SimChoice['toolCalls'][number], index: number): Part {
    const id = /gemini-3/.test(this.#context.model) ? { id: call.id } : {}
    const signed = index === 0 ? { thoughtSignature: sign('google', call.arguments) } : {}
    return { functionCall: { ...id, name: call.name, args: argsOf(call.arguments) }, ...signed }
  }

  #chunk(index: number, part: Part, more: object = {}): string {
    const candidates = [{ content: { parts: [part], role: 'model' }, index, ...more }]
    return this.#frame({ candidates }, { input: this.#context.input, output: this.#produced })
  }

  #frame(fields: object, usage?: UsedTokens): string {
    return this.#text({ ...fields, ...this.#tail(usage ?? { input: this.#context.input, output: this.#produced }) })
  }

  #text(body: object): string {
    if (this.#context.isSse) return `data: ${JSON.stringify(body)}\r\n\r\n`
    const before = this.#isFirst ? '[' : ',\r\n'
    this.#isFirst = false
    return before + JSON.stringify(body)
  }

  #tail(usage: UsedTokens | undefined): object {
    const { model, id, prompt, tellsUsage } = this.#context
    return {
      ...(usage === undefined || !tellsUsage ? {} : { usageMetadata: usageOf(usage, prompt) }),
      modelVersion: model,
      responseId: id,
    }
  }

  #logprobs(tokens: readonly string[]): object {
    const one = (token: string, rank: number): object => ({ token, tokenId: token.length, logProbability: -0.1 - rank })
    const top = Math.max(1, this.#context.logprobs ?? 1)
    return {
      logprobsResult: {
        topCandidates: tokens.map((token) => ({
          candidates: Array.from({ length: top }, (_, rank) => one(rank === 0 ? token : `${token}${rank}`, rank)),
        })),
        chosenCandidates: tokens.map((token) => one(token, 0)),
      },
    }
  }
}

const BLOCKED = {
  promptFeedback: {
    blockReason: 'SAFETY',
    safetyRatings: [{ category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true }],
  },
}

function signatureOf(choice: SimChoice): string {
  return sign('google', choice.thinking.join(''))
}

/** `candidatesTokenCount` is without the thoughts; the cached tokens are part of the prompt. */
function usageOf({ input, output }: UsedTokens, { text, image }: PromptCount): object {
  const prompt = wholeInput(input)
  const details = [
    { modality: 'TEXT', tokenCount: text },
    ...(image === 0 ? [] : [{ modality: 'IMAGE', tokenCount: image }]),
  ]
  return {
    promptTokenCount: prompt,
    ...(output.visible === 0 ? {} : { candidatesTokenCount: output.visible }),
    totalTokenCount: prompt + output.visible + output.thinking,
    ...(input.cachedRead === 0
      ? {}
      : {
          cachedContentTokenCount: input.cachedRead,
          cacheTokensDetails: [{ modality: 'TEXT', tokenCount: input.cachedRead }],
        }),
    promptTokensDetails: details,
    ...(output.thinking === 0 ? {} : { thoughtsTokenCount: output.thinking }),
  }
}

function finishOf({ finish }: SimChoice): object {
  switch (finish) {
    case 'stop':
    case 'tool_calls':
      return { finishReason: 'STOP' }
    case 'length':
      return { finishReason: 'MAX_TOKENS' }
    case 'refusal':
    case 'safety':
      return { finishReason: 'SAFETY', safetyRatings: BLOCKED.promptFeedback.safetyRatings }
    default:
      return finish satisfies never
  }
}

function argsOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
