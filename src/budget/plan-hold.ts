import type { Price } from '../gateway/steps.ts'
import type { ChatRequest } from '../protocol/request.ts'
import type { NanoUsd } from '../shared/money.ts'
import { holdFor, type HoldDecision } from './hold.ts'
import { inputTokenBound, type InputBound } from './input-bound.ts'
import type { RefinerTarget, TokenRefiner } from './token-refiner.ts'
import { walkedTokenBound } from './walked-bound.ts'

/** An injected cap of this size serves nearly every answer: no tokeniser is asked to widen it. */
const AMPLE_OUTPUT_TOKENS = 4096
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
  readonly signal: AbortSignal
}

/**
 * Sizes a hold with the cheapest bound of the prompt that serves: the body's bytes; where these do not fit what is left, or leave only
 * a short answer, the texts' bytes; and last the model's own tokeniser. Answers at once unless a tokeniser has to be asked.
 */
export function planHold(input: PlanInput, refiner: TokenRefiner | undefined): HoldDecision | Promise<HoldDecision> {
  const { request, target } = input
  const cheap = inputTokenBound(request, target)
  const first = decide(input, cheap)
  if (isGood(first)) return first
  const walked = tighter(cheap, walkedTokenBound(request, target).tokens, false)
  const second = decide(input, walked)
  const least = Math.floor(walked.tokens / BYTES_PER_TOKEN_MOST)
  const isHopeless = (): boolean => decide(input, tighter(walked, least, true)).kind === 'refused'
  if (isGood(second) || refiner === undefined || isHopeless()) return second
  return refiner
    .refine(request, target, input.signal)
    .then((tokens) => (tokens === undefined ? second : decide(input, tighter(walked, tokens, true))))
}

function decide(input: PlanInput, bound: InputBound): HoldDecision {
  return holdFor({ ...input, bound, contextTokens: input.target.contextTokens })
}

function isGood(decision: HoldDecision): boolean {
  if (decision.kind === 'refused') return false
  const isCut = decision.limitedBy === 'remaining' || decision.limitedBy === 'context'
  return !isCut || (decision.outputCap ?? 0) >= AMPLE_OUTPUT_TOKENS
}

function tighter(bound: InputBound, tokens: number, isExact: boolean): InputBound {
  return { ...bound, tokens: Math.min(bound.tokens, tokens), isExact }
}
