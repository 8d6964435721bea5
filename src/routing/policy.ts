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
  /** Factor by which the big model must gain more, as the task runs short of money (`budget-bar.ts`); absent = 1. */
  readonly bar?: number
  /** Where the conversation's prefix is warm; the prices above then hold the switch. Absent = nowhere. */
  readonly warm?: WarmSide
}

export interface WarmSide {
  readonly isBig: boolean
  /** Expected prices if nobody were warm; undefined = unpriced. */
  readonly smallPrice: number | undefined
  readonly bigPrice: number | undefined
}

export interface PolicyDecision {
  readonly isBig: boolean
  readonly reason: Extract<Reason, 'pinned' | 'gain' | 'share' | 'degraded' | 'sticky' | 'budget'>
}

/** One per route and mode; asked only where both tiers can take the request. */
export interface Policy {
  /** False = the decision needs no score, so none is computed. */
  readonly wantsScore: boolean
  decide(input: PolicyInput): PolicyDecision
  /** Whether a slightly other score might turn the decision. Changes nothing. */
  isUndecided(input: PolicyInput): boolean
}

const decided = (): boolean => false

export interface PolicyKnowledge {
  /** Of the route's scorer. */
  readonly usualScores?: readonly number[] | undefined
  /** How near to its threshold a score is undecided: in ranks for a share, in gain for a price; default 0 = none is. */
  readonly undecidedBand?: number
}

/** Share of big calls where a route sets neither goal. */
export const DEFAULT_BIG_SHARE = 0.3
export const BALANCED_BIG_SHARE = 0.5

/** `cheap` and `best` are the caller's own choice of tier, hence `pinned`; `balanced` is half of the requests; `auto` is the route's goal. */
export function createPolicy(mode: Mode, target: RouteTarget, knowledge: PolicyKnowledge = {}): Policy {
  switch (mode) {
    case 'cheap':
      return { wantsScore: false, decide: () => ({ isBig: false, reason: 'pinned' }), isUndecided: decided }
    case 'best':
      return { wantsScore: false, decide: () => ({ isBig: true, reason: 'pinned' }), isUndecided: decided }
    case 'balanced':
      return sharePolicy(BALANCED_BIG_SHARE, knowledge)
    case 'auto':
      return target.targetBigShare === undefined && target.costQuality !== undefined
        ? gainPolicy(target.costQuality, knowledge)
        : sharePolicy(target.targetBigShare ?? DEFAULT_BIG_SHARE, knowledge)
    default:
      return mode satisfies never
  }
}

function sharePolicy(share: number, { usualScores, undecidedBand = 0 }: PolicyKnowledge): Policy {
  const controller = new ShareController(share, usualScores)
  return {
    wantsScore: share > 0 && share < 1,
    decide: ({ score, chance, bar = 1, warm }) => {
      if (share === 0 || share === 1) return { isBig: share === 1, reason: 'share' }
      // Not a free decision: the controller neither makes nor counts it. A share says nothing of what a lost prefix would be worth.
      if (warm !== undefined) return kept(warm, bar)
      if (score === undefined) return { isBig: chance < share, reason: 'degraded' }
      const threshold = bar === 1 ? 0 : (controller.thresholdScore ?? NEUTRAL_GAIN)
      const isBig = controller.isBig(score, chance)
      if (isBig && bar > 1 && !isWorth(score, 1, threshold, bar)) return { isBig: false, reason: 'budget' }
      return { isBig, reason: 'share' }
    },
    isUndecided: ({ score, warm }) =>
      warm === undefined && undecidedBand > 0 && score !== undefined && controller.distance(score) < undecidedBand,
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
function gainPolicy(costQuality: number, { undecidedBand = 0 }: PolicyKnowledge): Policy {
  const value = costQuality >= 1 ? Number.POSITIVE_INFINITY : costQuality / (1 - costQuality) / NEUTRAL_GAIN
  return {
    wantsScore: costQuality > 0 && costQuality < 1,
    decide: ({ score, smallPrice, bigPrice, bar = 1, warm }) => {
      const dearer = relativeDifference(smallPrice, bigPrice, warm?.bigPrice ?? bigPrice)
      if (costQuality <= 0 || costQuality >= 1) return { isBig: dearer <= 0 || costQuality >= 1, reason: 'gain' }
      if (score === undefined && warm !== undefined) return kept(warm, bar)
      // Without a score an average gain is the best guess.
      const gain = score ?? NEUTRAL_GAIN
      const isBig = isWorth(gain, value, dearer, bar)
      if (warm !== undefined) return { isBig, reason: isBig === warm.isBig ? 'sticky' : 'gain' }
      if (!isBig && bar > 1 && isWorth(gain, value, dearer, 1)) return { isBig, reason: 'budget' }
      return { isBig, reason: score === undefined ? 'degraded' : 'gain' }
    },
    isUndecided: ({ score, smallPrice, bigPrice, warm }) =>
      warm === undefined &&
      undecidedBand > 0 &&
      score !== undefined &&
      Math.abs(score - relativeDifference(smallPrice, bigPrice, bigPrice) / value) < undecidedBand,
  }
}

/** Gain x value of quality against what the big model costs more; what costs no more needs no bar. */
export function isWorth(gain: number, value: number, dearer: number, bar: number): boolean {
  return gain * value > (dearer > 0 ? dearer * bar : dearer)
}

/** Stays where its prefix is, unless the task cannot pay for that. */
function kept({ isBig }: WarmSide, bar: number): PolicyDecision {
  return isBig && bar === Number.POSITIVE_INFINITY ? { isBig: false, reason: 'budget' } : { isBig, reason: 'sticky' }
}

function relativeDifference(
  smallPrice: number | undefined,
  bigPrice: number | undefined,
  unit: number | undefined,
): number {
  if (smallPrice === undefined || bigPrice === undefined || unit === undefined) return 1
  if (unit === 0) return Math.sign(bigPrice - smallPrice)
  return (bigPrice - smallPrice) / unit
}
