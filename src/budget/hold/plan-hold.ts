import type { Price } from '../../shared/price.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { NanoUsd } from '../../shared/money.ts'
import { cacheLifeOf, type CacheLife } from '../prices/cache-life.ts'
import { AMPLE_OUTPUT_TOKENS, holdFor, type HoldDecision } from './hold.ts'
import { inputTokenBound, type InputBound } from './input-bound.ts'
import type { KnownPrompts } from './known-prompts.ts'
import type { RefinerTarget, TokenRefiner } from './token-refiner.ts'
import { walkedTokenBound } from './walked-bound.ts'

/** Text is never this sparse: what does not fit by this measure fits by no count, and a task without money asks no tokeniser. */
const BYTES_PER_TOKEN_MOST = 16

export interface PlanInput {
  readonly request: ChatRequest
  readonly target: RefinerTarget
  readonly price: Price
  /** What is left in the tightest scope; undefined = no limit. */
  readonly remaining: NanoUsd | undefined
  readonly outputLimit?: number | undefined
  readonly minOutputTokens?: number | undefined
  readonly lowersCap?: boolean | undefined
  /** What was counted of earlier prompts of the same task; absent = there is no task, or no limit. */
  readonly known?: KnownPrompts | undefined
  readonly signal: AbortSignal
}

/**
 * Sizes a hold with the cheapest bound of the prompt that serves: the body's bytes; where these do not fit what is left, or leave only
 * a short answer, the texts' bytes; then what was billed for the beginning of the same transcript, and the bytes of the rest; and last
 * the model's own tokeniser. Answers at once unless a tokeniser has to be asked.
 */
export function planHold(input: PlanInput, refiner: TokenRefiner | undefined): HoldDecision | Promise<HoldDecision> {
  const { request, target } = input
  const cacheLife = cacheLifeOf(request, target)
  const cheap = inputTokenBound(request, target)
  const first = decide(input, cheap, cacheLife)
  if (isGood(first, target.contextTokens)) return first
  const bytes = tighter(cheap, walkedTokenBound(request, target).tokens, false)
  const byBytes = decide(input, bytes, cacheLife)
  if (isGood(byBytes, target.contextTokens)) return byBytes
  const walked = tighter(bytes, input.known?.bound(request, target) ?? bytes.tokens, false)
  const second = decide(input, walked, cacheLife)
  const least = Math.floor(walked.tokens / BYTES_PER_TOKEN_MOST)
  const isHopeless = (): boolean => decide(input, tighter(walked, least, true), cacheLife).kind === 'refused'
  if (isGood(second, target.contextTokens) || refiner === undefined || isHopeless()) return second
  return refiner
    .refine(request, target, input.signal)
    .then((tokens) => (tokens === undefined ? second : decide(input, tighter(walked, tokens, true), cacheLife)))
}

function decide(input: PlanInput, bound: InputBound, cacheLife: CacheLife): HoldDecision {
  return holdFor({ ...input, bound, contextTokens: input.target.contextTokens, cacheLife })
}

/**
 * Nothing tighter is worth its time: the caller's cap or the model's, or an ample one that fits the context for certain. A caller's cap
 * is not lowered before the prompt was counted: whoever names one may need it.
 */
function isGood(decision: HoldDecision, contextTokens = Number.MAX_SAFE_INTEGER): boolean {
  if (decision.kind === 'refused' || decision.limitedBy === 'lowered') return false
  const { limitedBy, inputTokens, outputCap = 0 } = decision
  if (limitedBy === 'caller' || limitedBy === 'nothing') return true
  const isAmple = limitedBy === 'model' || outputCap >= AMPLE_OUTPUT_TOKENS
  return isAmple && inputTokens + outputCap <= contextTokens
}

function tighter(bound: InputBound, tokens: number, isExact: boolean): InputBound {
  return { ...bound, tokens: Math.min(bound.tokens, tokens), isExact }
}
