import type { Target } from '../gateway/steps.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { toNanoUsd, type NanoUsd } from '../shared/money.ts'
import type { Price } from '../shared/price.ts'

export interface BoundInput {
  readonly request: ChatRequest
  readonly target: Target
  readonly price: Price
  /** What is left in the tightest book; undefined = no limit. */
  readonly remaining: NanoUsd | undefined
  readonly minOutputTokens: number
  readonly signal: AbortSignal
}
export type Bound =
  | {
      readonly kind: 'hold'
      readonly amount: NanoUsd
      /** Cap to send; undefined = the caller's own, or none is needed. */
      readonly outputCap: number | undefined
      readonly inputTokens: number
      readonly outputTokens: number
    }
  | { readonly kind: 'refused'; readonly param: string | undefined; readonly needed: NanoUsd | undefined }
/** Sizes the hold of an attempt: its worst case, and the output cap that makes it one. */
export type BoundOf = (input: BoundInput) => Bound | Promise<Bound>

const TOKENS_PER_PRICE = 1_000_000
/** Markup of chat templates around a message, and around the whole. */
const TOKENS_PER_MESSAGE = 16
const TOKENS_PER_REQUEST = 256
/** The largest cap that is injected; most models refuse one above their own limit. */
const MOST_INJECTED = 16_384

/**
 * The simplest bound: a token has at least one byte, so the body's bytes bound the prompt. Without a cap of the caller's the largest
 * that fits is injected; without a limit, or where output is free, none is.
 */
export function simpleBound({ request, price, remaining, minOutputTokens }: BoundInput): Bound {
  const inputTokens = request.bodyBytes + TOKENS_PER_MESSAGE * request.messages.length + TOKENS_PER_REQUEST
  const inputPerM = Math.max(price.inputPerM, price.cachedInputPerM ?? 0, price.cacheWritePerM ?? 0)
  const amountOf = (output: number): number =>
    Math.ceil((inputTokens * inputPerM + output * price.outputPerM) / TOKENS_PER_PRICE)
  const cap = request.maxOutputTokens
  const isCapped = cap !== undefined || remaining === undefined || price.outputPerM === 0
  const room =
    remaining === undefined
      ? 0
      : Math.floor((remaining * TOKENS_PER_PRICE - inputTokens * inputPerM) / (price.outputPerM * request.n))
  const each = isCapped ? (cap ?? MOST_INJECTED) : Math.min(MOST_INJECTED, room)
  const outputTokens = each * request.n
  const amount = amountOf(outputTokens)
  const needed = amountOf(isCapped ? outputTokens : minOutputTokens * request.n)
  if (!Number.isSafeInteger(amount)) return { kind: 'refused', param: 'max_tokens', needed: undefined }
  if ((!isCapped && each < minOutputTokens) || (remaining !== undefined && amount > remaining)) {
    return {
      kind: 'refused',
      param: cap === undefined ? undefined : 'max_tokens',
      needed: toNanoUsd(Math.max(0, needed)),
    }
  }
  return {
    kind: 'hold',
    amount: toNanoUsd(amount),
    outputCap: isCapped ? cap : each,
    inputTokens,
    outputTokens,
  }
}
