/** What to do with a score. Pure but for the share controller's own memory; reads no clock, no configuration, no chance of its own. */
import type { Reason } from '../gateway/steps.ts'
import { ShareController } from './share-controller.ts'

/** How a route is asked for: `auto`, `auto:cheap`, `auto:balanced`, `auto:best`. */
export const MODES = ['auto', 'cheap', 'balanced', 'best'] as const
export type Mode = (typeof MODES)[number]

export interface RouteTarget {
  /** Share of requests for the big tier, 0..1; goes before `costQuality`. */
  readonly targetBigShare?: number
  /** 0 = as cheap as possible, 1 = as good as possible. */
  readonly costQuality?: number
}

export interface PolicyInput {
  /** Expected gain of the big model, 0..1; absent = the scorer could not say. */
  readonly score: number | undefined
  /** Expected prices of this request; undefined = unpriced. */
  readonly smallPrice: number | undefined
  readonly bigPrice: number | undefined
  /** In [0, 1). */
  readonly chance: number
}

export interface PolicyDecision {
  readonly isBig: boolean
  readonly reason: Extract<Reason, 'pinned' | 'gain' | 'share' | 'degraded'>
}

/** One per route and mode; asked only where both tiers can take the request. */
export interface Policy {
  /** False = the decision needs no score, so none is computed. */
  readonly wantsScore: boolean
  decide(input: PolicyInput): PolicyDecision
}

/** Share of big calls where a route sets neither goal. */
export const DEFAULT_BIG_SHARE = 0.3
export const BALANCED_BIG_SHARE = 0.5

/** `cheap` and `best` are the caller's own choice of tier, hence `pinned`; `balanced` is half of the requests; `auto` is the route's goal. */
export function createPolicy(mode: Mode, target: RouteTarget, usualScores?: readonly number[]): Policy {
  switch (mode) {
    case 'cheap':
      return { wantsScore: false, decide: () => ({ isBig: false, reason: 'pinned' }) }
    case 'best':
      return { wantsScore: false, decide: () => ({ isBig: true, reason: 'pinned' }) }
    case 'balanced':
      return sharePolicy(BALANCED_BIG_SHARE, usualScores)
    case 'auto':
      return target.targetBigShare === undefined && target.costQuality !== undefined
        ? gainPolicy(target.costQuality)
        : sharePolicy(target.targetBigShare ?? DEFAULT_BIG_SHARE, usualScores)
    default:
      return mode satisfies never
  }
}

function sharePolicy(share: number, usualScores?: readonly number[]): Policy {
  const controller = new ShareController(share, usualScores)
  return {
    wantsScore: share > 0 && share < 1,
    decide: ({ score, chance }) => {
      if (share === 0 || share === 1) return { isBig: share === 1, reason: 'share' }
      if (score === undefined) return { isBig: chance < share, reason: 'degraded' }
      return { isBig: controller.isBig(score, chance), reason: 'share' }
    },
  }
}

/**
 * At 0.5, a request whose gain is this goes either way when the small model costs nothing: about the mean score of the
 * training data (`router-models/gain-heads.md`).
 */
const NEUTRAL_GAIN = 0.2

/**
 * Big where gain x value of quality exceeds the price difference, both in units of the big model's price. The value of quality
 * runs from 0 (`costQuality` 0) over 1 / NEUTRAL_GAIN (0.5) to infinity (1). Where a price is unknown the small one counts as free.
 */
function gainPolicy(costQuality: number): Policy {
  const value = costQuality >= 1 ? Number.POSITIVE_INFINITY : costQuality / (1 - costQuality) / NEUTRAL_GAIN
  return {
    wantsScore: costQuality > 0 && costQuality < 1,
    decide: ({ score, smallPrice, bigPrice }) => {
      const difference = relativeDifference(smallPrice, bigPrice)
      if (costQuality <= 0 || costQuality >= 1) return { isBig: difference <= 0 || costQuality >= 1, reason: 'gain' }
      // Without a score an average gain is the best guess.
      const gain = score ?? NEUTRAL_GAIN
      return { isBig: gain * value > difference, reason: score === undefined ? 'degraded' : 'gain' }
    },
  }
}

function relativeDifference(smallPrice: number | undefined, bigPrice: number | undefined): number {
  if (smallPrice === undefined || bigPrice === undefined) return 1
  if (bigPrice === 0) return smallPrice === 0 ? 0 : -1
  return (bigPrice - smallPrice) / bigPrice
}
