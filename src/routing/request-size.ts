/** How many tokens a request needs, judged from its bytes; no tokeniser is loaded for this. */
import type { ChatRequest, Message } from '../protocol/request.ts'
import { toNanoUsd, type NanoUsd } from '../shared/money.ts'
import { ratesFor, type Price } from '../shared/price.ts'

export interface RequestSize {
  /** Bytes of the body without base64 payloads: an estimate of what is tokenised. */
  readonly textBytes: number
  /** Tokens that images, audio and files add, a guess each. */
  readonly mediaTokens: number
  /** Cap on generated tokens, 0 where the caller gave none. */
  readonly outputCap: number
  /** Number of answers asked for. */
  readonly answers: number
}

/** English prose has 4 to 5 bytes a token and code about 3; with JSON around it 3.5 errs to the safe side. */
const BYTES_PER_TOKEN = 3.5
/** Nothing that people write is denser: a request that does not fit by this measure fits by none. */
const BYTES_PER_TOKEN_MOST = 8
/** OpenAI counts a 1024 x 1024 picture as 765 tokens (vision guide, high detail). */
const TOKENS_PER_IMAGE = 765
/** Base64 of 16-bit, 24 kHz speech is 64,000 bytes a second at 10 tokens a second (OpenAI audio guide). */
const AUDIO_BYTES_PER_TOKEN = 6400
/** A PDF page of text is about 3 KB and 1,500 tokens (Anthropic's PDF guide), base64 a third more. */
const FILE_BYTES_PER_TOKEN = 4

/** Output expected where the caller's cap does not say less: about what the recorded answers of chat models have (1,100 characters). */
const EXPECTED_OUTPUT_TOKENS = 280

export function sizeOf(request: ChatRequest): RequestSize {
  let payloadBytes = 0
  let mediaTokens = 0
  for (const message of request.messages) {
    if (typeof message.content === 'string' || message.content === null) continue
    for (const part of message.content) {
      const media = mediaOf(part)
      payloadBytes += media.bytes
      mediaTokens += media.tokens
    }
  }
  return {
    textBytes: Math.max(0, request.bodyBytes - payloadBytes),
    mediaTokens,
    outputCap: request.maxOutputTokens ?? 0,
    answers: request.n,
  }
}

/** One part of a message, whoever wrote it. */
type Part = Exclude<NonNullable<Message['content']>, string>[number]

function mediaOf(part: Part): { readonly bytes: number; readonly tokens: number } {
  switch (part.type) {
    case 'image':
      return { bytes: part.url.startsWith('data:') ? part.url.length : 0, tokens: TOKENS_PER_IMAGE }
    case 'audio':
      return { bytes: part.data.length, tokens: Math.ceil(part.data.length / AUDIO_BYTES_PER_TOKEN) }
    case 'file': {
      const bytes = part.data?.length ?? 0
      return { bytes, tokens: Math.ceil(bytes / FILE_BYTES_PER_TOKEN) }
    }
    case 'text':
    case 'refusal':
      return { bytes: 0, tokens: 0 }
    default:
      return part satisfies never
  }
}

/** Expected prompt tokens. */
export function promptTokens(size: RequestSize): number {
  return Math.ceil(size.textBytes / BYTES_PER_TOKEN) + size.mediaTokens
}

/** Whether prompt and output cap fit a context: `yes`; `maybe` = the estimate says no, but it may be wrong; `no` = never. */
export function fitsContext(size: RequestSize, contextTokens: number | undefined): 'yes' | 'maybe' | 'no' {
  if (contextTokens === undefined) return 'yes'
  if (promptTokens(size) + size.outputCap <= contextTokens) return 'yes'
  return Math.ceil(size.textBytes / BYTES_PER_TOKEN_MOST) + size.outputCap <= contextTokens ? 'maybe' : 'no'
}

/** Expected price of one request at `price`: its estimated prompt and an answer of ordinary length. */
export function expectedPrice(size: RequestSize, price: Price | undefined): NanoUsd | undefined {
  if (price === undefined) return undefined
  const output = size.outputCap === 0 ? EXPECTED_OUTPUT_TOKENS : Math.min(size.outputCap, EXPECTED_OUTPUT_TOKENS)
  const prompt = promptTokens(size)
  const { inputPerM, outputPerM } = ratesFor(price, prompt)
  const nano = (prompt * inputPerM + output * size.answers * outputPerM) / 1_000_000
  // An operator's odd price must not turn a decision into an error.
  return toNanoUsd(Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(nano)))
}
