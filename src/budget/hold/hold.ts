/**
 * How much of a budget an attempt must hold: its worst case, rounded up, and the output cap that makes it one. Pure; amounts are
 * exact (BigInt inside), never rounded down.
 */
import type { Usage } from '../../protocol/answer.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { NanoUsd } from '../../shared/money.ts'
import type { Price } from '../../shared/price.ts'
import type { CacheLife } from '../prices/cache-life.ts'
import { dearestInputPerM, dearestOutputPerM } from '../prices/dearest.ts'
import type { InputBound } from './input-bound.ts'

const TOKENS_PER_PRICE = 1_000_000n
/** Below this an answer is of no use to anybody. */
export const MIN_OUTPUT_TOKENS = 64
/** The largest cap that is injected where the model's own limit is not known; most models refuse a cap above their limit. */
const DEFAULT_OUTPUT_CAP = 16_384
/** Largest output limit of today's models (GPT-5: 128,000): the worst case where nothing else bounds an answer. */
const MOST_OUTPUT_TOKENS = 131_072
/** An injected cap of this size serves nearly every answer: nothing is done to widen it. */
export const AMPLE_OUTPUT_TOKENS = 4096
/** The bound of a prompt is at least this many times its true size in all but dense texts: room for an injected cap, not money. */
const LOOSENESS = 2

export interface HoldInput {
  readonly request: Pick<ChatRequest, 'n' | 'maxOutputTokens' | 'thinking'>
  readonly price: Price
  readonly bound: InputBound
  /** What is left in the tightest scope; undefined = no limit. */
  readonly remaining: NanoUsd | undefined
  readonly contextTokens: number | undefined
  /** Most output tokens that the model accepts as a cap (`output-limit.ts`); undefined = not known. */
  readonly outputLimit?: number | undefined
  /** A cap below this is not injected but refused. Default 64. */
  readonly minOutputTokens?: number | undefined
  /** A caller's cap that does not fit is sent lowered to what fits; absent = the request is refused. */
  readonly lowersCap?: boolean | undefined
  /** Longest provider cache that the request can be billed for writing (`cacheLifeOf`); absent = any. */
  readonly cacheLife?: CacheLife | undefined
}

export interface SizedHold {
  readonly kind: 'hold'
  readonly amount: NanoUsd
  /** Cap to send: the caller's, the lowered or the injected one; undefined = none is needed. */
  readonly outputCap: number | undefined
  /** Most input and output tokens that `amount` pays for, all choices together. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** What set the cap. Where it is `remaining`, `lowered` (the caller's) or `context`, a tighter input bound gives a larger one. */
  readonly limitedBy: 'caller' | 'lowered' | 'model' | 'remaining' | 'context' | 'nothing'
}
export interface RefusedHold {
  readonly kind: 'refused'
  readonly code: 'request_exceeds_remaining'
  /** What the caller can change: `max_tokens`, or a field whose cost nothing bounds. Undefined = the prompt alone is too dear. */
  readonly param: string | undefined
  /** What the attempt would need at least; undefined where that is beyond all amounts, or unbounded. */
  readonly needed: NanoUsd | undefined
}
export type HoldDecision = SizedHold | RefusedHold

/**
 * Sizes the hold of one attempt: `ceil(bound x dearest input + n x cap x dearest output)`. Without a cap of the caller's, the largest
 * that fits what is left, the context and the model's limit is injected, or refused below `minOutputTokens`. A cap of the caller's is
 * held in full, or lowered to what fits (`lowersCap`). Without a limit nothing is injected; the hold then counts the output up to the
 * model's limit or context. Free models hold 0 and need no cap.
 */
export function holdFor(input: HoldInput): HoldDecision {
  const { request, bound, remaining } = input
  const [field] = bound.unbounded
  if (field !== undefined && remaining !== undefined && !isFree(input.price)) return refused(field, undefined)
  if (request.maxOutputTokens !== undefined) {
    const output = request.maxOutputTokens * request.n + bound.extraOutputTokens * request.n
    const amount = amountOf(input, output)
    if (amount === undefined || (remaining !== undefined && amount > remaining)) {
      const smaller = input.lowersCap === true ? lowered(input, request.maxOutputTokens) : undefined
      return smaller ?? refused(isInputTooDear(input) ? undefined : 'max_tokens', amount)
    }
    return held(input, amount, request.maxOutputTokens, output, 'caller')
  }
  if (remaining === undefined || outputPerM(input) === 0n) return uncapped(input)
  return capped(input)
}

/** No cap from the caller, and none needed: there is no limit, or output costs nothing. */
function uncapped(input: HoldInput): HoldDecision {
  const { request, bound, contextTokens, outputLimit, remaining } = input
  const each = Math.min(contextTokens ?? MOST_OUTPUT_TOKENS, outputLimit ?? MOST_OUTPUT_TOKENS)
  const output = (each + bound.extraOutputTokens) * request.n
  const amount = amountOf(input, output)
  if (amount === undefined || (remaining !== undefined && amount > remaining)) return refused(undefined, amount)
  return held(input, amount, undefined, output, 'nothing')
}

/**
 * The largest cap below the caller's that fits what is left. Undefined = none that is of use: thinking with a budget of its own is part
 * of the cap, and must leave room for an answer.
 */
function lowered(input: HoldInput, callerCap: number): SizedHold | undefined {
  const { request, bound } = input
  const least = (input.minOutputTokens ?? MIN_OUTPUT_TOKENS) + (request.thinking?.budgetTokens ?? 0)
  const cap = Math.min(callerCap, affordable(input))
  if (cap < least) return undefined
  const output = (cap + bound.extraOutputTokens) * request.n
  const amount = amountOf(input, output)
  return amount === undefined ? undefined : held(input, amount, cap, output, 'lowered')
}

/** Most tokens of output per choice that what is left pays for beside the prompt; negative where it does not even pay that. */
function affordable(input: HoldInput): number {
  const { request, bound, remaining = Number.MAX_SAFE_INTEGER } = input
  const perToken = outputPerM(input) * BigInt(request.n)
  const forOutput = BigInt(remaining) * TOKENS_PER_PRICE - inputCost(input) - perToken * BigInt(bound.extraOutputTokens)
  if (forOutput < 0n) return -1
  return perToken === 0n ? Number.MAX_SAFE_INTEGER : clamp(forOutput / perToken)
}

/** No cap from the caller: the largest that fits. */
function capped(input: HoldInput): HoldDecision {
  const { request, bound } = input
  const least = Math.min(input.minOutputTokens ?? MIN_OUTPUT_TOKENS, input.outputLimit ?? Number.MAX_SAFE_INTEGER)
  const model = input.outputLimit ?? DEFAULT_OUTPUT_CAP
  const context = contextRoom(input, least)
  const paid = affordable(input)
  const cap = Math.min(model, context, paid)
  if (cap < least) {
    const needed = amountOf(input, (least + bound.extraOutputTokens) * request.n)
    return refused(undefined, needed)
  }
  const output = (cap + bound.extraOutputTokens) * request.n
  const limitedBy = cap === model ? 'model' : cap === paid ? 'remaining' : 'context'
  // Within `remaining` by construction, so that it is an amount.
  return held(input, amountOf(input, output) as NanoUsd, cap, output, limitedBy)
}

/**
 * Room for output in the context. A bound that no tokeniser has confirmed is mostly several times too large; taken at its word where
 * it leaves little room, it would cut answers short. Too large a cap only makes the upstream refuse, at no cost.
 */
function contextRoom({ bound, contextTokens }: HoldInput, least: number): number {
  if (contextTokens === undefined) return Number.MAX_SAFE_INTEGER
  const certain = contextTokens - bound.tokens
  if (bound.isExact || certain >= AMPLE_OUTPUT_TOKENS) return Math.max(least, certain)
  return Math.max(least, contextTokens - Math.ceil(bound.tokens / LOOSENESS))
}

/**
 * Usage as it may be charged against a hold: what an upstream reported stays as it is, our own estimate is cut to what the hold
 * pays for. An estimate counts the bytes that were sent, base64 included, and four bytes a token of output; the bound and the cap
 * are proven, so the truth is not above them.
 */
export function withinHold(usage: Usage, hold: Pick<SizedHold, 'inputTokens' | 'outputTokens'>): Usage {
  if (!usage.estimated) return usage
  const input = Math.min(usage.input, hold.inputTokens)
  return { ...usage, input, output: Math.min(usage.output, hold.outputTokens) }
}

function held(
  { bound }: HoldInput,
  amount: NanoUsd,
  outputCap: number | undefined,
  outputTokens: number,
  limitedBy: SizedHold['limitedBy'],
): SizedHold {
  return { kind: 'hold', amount, outputCap, inputTokens: bound.tokens, outputTokens, limitedBy }
}

function refused(param: string | undefined, needed: NanoUsd | undefined): RefusedHold {
  return { kind: 'refused', code: 'request_exceeds_remaining', param, needed }
}

function isFree(price: Price): boolean {
  return dearestInputPerM(price) === 0 && dearestOutputPerM(price) === 0
}

function isInputTooDear(input: HoldInput): boolean {
  const amount = amountOf(input, 0)
  return amount === undefined || (input.remaining !== undefined && amount > input.remaining)
}

function inputCost({ bound, price, cacheLife }: HoldInput): bigint {
  return BigInt(bound.tokens) * BigInt(dearestInputPerM(price, bound.tokens, cacheLife))
}

/** The context tiers that the prompt's bound can reach count for the output, too. */
function outputPerM({ bound, price }: HoldInput): bigint {
  return BigInt(dearestOutputPerM(price, bound.tokens))
}

/** Price of the whole bound and `output` tokens, rounded up once; undefined beyond the safe integers. */
function amountOf(input: HoldInput, output: number): NanoUsd | undefined {
  if (!Number.isSafeInteger(output)) return undefined
  const { bound, price, cacheLife } = input
  const inputPerM = dearestInputPerM(price, bound.tokens, cacheLife)
  const plain = bound.tokens * inputPerM + output * dearestOutputPerM(price, bound.tokens)
  // Nearly every amount is a sum of safe integers, and exact without BigInt; a product that is not leaves that range.
  if (plain <= Number.MAX_SAFE_INTEGER) {
    const rest = plain % 1_000_000
    return ((plain - rest) / 1_000_000 + (rest === 0 ? 0 : 1)) as NanoUsd
  }
  const exact = inputCost(input) + BigInt(output) * outputPerM(input)
  const amount = (exact + TOKENS_PER_PRICE - 1n) / TOKENS_PER_PRICE
  return amount > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : (Number(amount) as NanoUsd)
}

function clamp(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value)
}
