import type { Call, ChunkConsumer, Hold, Sender, SendResult } from '../../gateway/steps.ts'
import type { Usage } from '../../protocol/answer.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import { SwitchyardError } from '../../shared/errors.ts'

/** Texts of one request. Each takes 2 to 60 ms of a core. */
const MAX_TEXTS = 256
const DIMENSIONS = 384
const MAX_TOKENS = 256

interface Embedded {
  readonly vector: Float32Array
  readonly tokens: number
  readonly isCut: boolean
}

/** Whoever makes the vectors: the encoder of this process. */
export interface VectorMaker {
  /** Rejects with an error that has `retryAfterMs` where there is no room. */
  embedAll(texts: readonly string[], signal: AbortSignal): Promise<readonly Embedded[]>
}

/** Answers what goes to the gateway's own encoder; everything else is another sender's. */
export class EmbeddedSender implements Sender {
  readonly #maker: VectorMaker
  readonly #others: Sender

  constructor(maker: VectorMaker, others: Sender) {
    this.#maker = maker
    this.#others = others
  }

  send(call: Call, hold: Hold, consumer: ChunkConsumer): Promise<SendResult> {
    return hold.attempt.target.kind === 'embedded'
      ? this.#answer(call, hold.attempt.target.model, consumer)
      : this.#others.send(call, hold, consumer)
  }

  async #answer({ request, signal }: Call, model: string, consumer: ChunkConsumer): Promise<SendResult> {
    try {
      const texts = textsOf(request, model)
      const made = await this.#maker.embedAll(texts, signal)
      const long = made.findIndex(({ isCut }) => isCut)
      if (long !== -1) throw tooLong(model, texts.length === 1 ? 'input' : `input[${long}]`)
      const events = made.map(({ vector }, choice) => ({ type: 'text', choice, text: base64Of(vector) }) as const)
      const start = { type: 'start', id: '', model, created: 0 } as const
      if (!consumer.chunk({ events: [start, ...events] })) await consumer.drained()
      const input = made.reduce((tokens, each) => tokens + each.tokens, 0)
      const usage: Usage = { ...NO_USAGE, input }
      return { outcome: { kind: 'complete', usage }, tries: 1, dropped: [] }
    } catch (thrown) {
      if (signal.aborted) return { outcome: { kind: 'aborted', ...NOTHING_SENT }, tries: 1, dropped: [] }
      const error = errorOf(thrown)
      if (error === undefined) throw thrown
      return { outcome: { kind: 'failed', error, fallback: error.retry, ...NOTHING_SENT }, tries: 1, dropped: [] }
    }
  }
}

const NO_USAGE: Usage = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}
const NOTHING_SENT = { contentSent: false, usage: undefined, billing: 'none' } as const

/** Throws the refusal of what this encoder cannot do. */
function textsOf({ embed }: ChatRequest, model: string): readonly string[] {
  if (embed === undefined)
    throw refusal('model', `\`${model}\` makes embeddings and answers nothing else; use /v1/embeddings.`)
  const { inputs, dimensions } = embed
  if (dimensions !== undefined && dimensions !== DIMENSIONS)
    throw refusal(
      'dimensions',
      `\`${model}\` has ${DIMENSIONS} dimensions, and a part of them would mean little. Leave \`dimensions\` out.`,
    )
  if (inputs.length > MAX_TEXTS)
    throw refusal('input', `\`${model}\` takes at most ${MAX_TEXTS} texts in a request. Send them in several.`)
  return inputs.map((input, at) => {
    if (typeof input === 'string') return input
    const param = inputs.length === 1 ? 'input' : `input[${at}]`
    throw refusal(param, `\`${model}\` takes texts: token ids are those of another vocabulary. Send the text.`)
  })
}

function refusal(param: string, sentence: string): SwitchyardError {
  return new SwitchyardError('unsupported_value', sentence, { param })
}

function tooLong(model: string, param: string): SwitchyardError {
  return new SwitchyardError(
    'context_length_exceeded',
    `\`${param}\` is longer than the ${MAX_TOKENS} tokens that \`${model}\` reads. Send it in parts.`,
    { param },
  )
}

/** The error for the caller; undefined = it is a defect of ours. */
function errorOf(thrown: unknown): SwitchyardError | undefined {
  if (thrown instanceof SwitchyardError) return thrown
  if (!(thrown instanceof Error) || !('retryAfterMs' in thrown) || typeof thrown.retryAfterMs !== 'number')
    return undefined
  const { retryAfterMs } = thrown
  return new SwitchyardError('overloaded', 'The encoder has no room for more texts at the moment.', { retryAfterMs })
}

/** 32-bit floats, little-endian as every processor that Node runs on has them. */
function base64Of({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
