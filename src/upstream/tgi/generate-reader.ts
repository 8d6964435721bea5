import type { AnswerEvent, FinishReason, TokenLogprob, Usage } from '../../protocol/answer.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import { estimateUsage } from '../openai/usage.ts'
import { tgiErrorIn } from './errors.ts'
import { StopTrimmer } from './stop-trimmer.ts'

type Fields = Readonly<Record<string, unknown>>

/** More tokens than any context holds: a figure above is a defect of the upstream. */
const PLAUSIBLE_TOKENS = 1_000_000_000

/** Reads the answers of `/generate_stream` (one token each) and of `/generate` (all at once) into the same events. */
export class GenerateReader {
  error: SwitchyardError | undefined
  hasFinish = false
  hasStarted = false
  readonly #requestBytes: number
  readonly #wantsLogprobs: boolean
  readonly #trimmer: StopTrimmer
  #inputTokens: number | undefined
  #outputTokens: number | undefined
  #contentChunks = 0
  #contentBytes = 0

  constructor(requestBytes: number, request: Pick<ChatRequest, 'sampling' | 'topLogprobs'>) {
    this.#requestBytes = requestBytes
    this.#wantsLogprobs = request.topLogprobs !== undefined
    this.#trimmer = new StopTrimmer(request.sampling.stop ?? [])
  }

  usage(): Usage {
    const own = estimateUsage({
      requestBytes: this.#requestBytes,
      contentChunks: this.#contentChunks,
      contentBytes: this.#contentBytes,
    })
    const output = this.#outputTokens ?? own.output
    const isCounted = this.#inputTokens !== undefined && this.#outputTokens !== undefined
    return { ...own, input: this.#inputTokens ?? own.input, output, estimated: !isCounted }
  }

  /** Takes one frame, or a whole body. */
  take(raw: unknown, events: AnswerEvent[]): void {
    if (this.error !== undefined || this.hasFinish || !isRecord(raw)) return
    this.error = tgiErrorIn(raw)
    if (this.error !== undefined) return
    this.hasStarted = true
    const { token, details, generated_text: whole } = raw
    if (isRecord(token)) this.#takeToken(token, raw['top_tokens'], events)
    else if (typeof whole === 'string') this.#takeWhole(whole, details, events)
    if (isRecord(details)) this.#end(details, events)
  }

  #takeToken(token: Fields, top: unknown, events: AnswerEvent[]): void {
    const { text, special } = token
    if (typeof text !== 'string' || special === true) return
    this.#contentChunks += 1
    this.#say(this.#trimmer.push(text), events)
    this.#logprobs([token], [top], events)
  }

  #takeWhole(text: string, details: unknown, events: AnswerEvent[]): void {
    this.#say(this.#trimmer.push(text), events)
    if (!isRecord(details)) return
    const { tokens, top_tokens: tops } = details
    const said = Array.isArray(tops) ? (tops as readonly unknown[]) : []
    if (Array.isArray(tokens)) this.#logprobs(tokens as readonly unknown[], said, events)
  }

  #say(text: string, events: AnswerEvent[]): void {
    if (text === '') return
    this.#contentBytes += Buffer.byteLength(text)
    events.push({ type: 'text', choice: 0, text })
  }

  #logprobs(tokens: readonly unknown[], tops: readonly unknown[], events: AnswerEvent[]): void {
    if (!this.#wantsLogprobs) return
    const content = tokens.flatMap((token, index): readonly TokenLogprob[] => {
      if (!isRecord(token) || token['special'] === true) return []
      const top = tops[index]
      return [{ ...one(token), top_logprobs: Array.isArray(top) ? top.filter(isRecord).map(one) : [] }]
    })
    if (content.length > 0) events.push({ type: 'logprobs', choice: 0, content, refusal: null })
  }

  #end(details: Fields, events: AnswerEvent[]): void {
    const { finish_reason: word, generated_tokens: output, input_length: input, prefill } = details
    if (isCount(output) && output >= this.#contentChunks) this.#outputTokens = output
    if (isCount(input)) this.#inputTokens = input
    else if (Array.isArray(prefill) && prefill.length > 0) this.#inputTokens = prefill.length
    this.#say(this.#trimmer.end(word === 'stop_sequence'), events)
    const reason: FinishReason = word === 'length' ? 'length' : 'stop'
    this.hasFinish = true
    events.push({ type: 'finish', choice: 0, reason })
  }
}

function one({ text, logprob }: Fields): {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
} {
  const token = typeof text === 'string' ? text : ''
  return { token, logprob: typeof logprob === 'number' ? logprob : -9999, bytes: [...Buffer.from(token)] }
}

/** A figure that can be right: our own count stands in for any other. */
function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= PLAUSIBLE_TOKENS
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
