/** The goal of a route in figures, for one request. Thresholds are found by asking the router itself with other scores. */
import { BALANCED_BIG_SHARE, DEFAULT_BIG_SHARE, type Mode } from '../policy.ts'
import { expectedPrice } from '../request-size.ts'
import type { RouteOptions } from '../route.ts'
import type { Needs } from '../rules.ts'
import type { ExplainedScore, Goal, Sides } from './explanation.ts'
import { whyOut } from './findings.ts'
import { always, freshPlan, sideOf, threshold, type Probe } from './probe.ts'

export interface GoalFacts {
  readonly probe: Probe
  readonly mode: Mode
  readonly route: RouteOptions
  readonly score: ExplainedScore | undefined
  readonly needs: Needs
  readonly sides: Sides
}

export async function goalOf(facts: GoalFacts): Promise<Goal> {
  const { mode, route, score } = facts
  if (mode === 'cheap' || mode === 'best') return { kind: 'tier', mode }
  const from = score?.isUsed === true ? await scoreThreshold(facts) : undefined
  const { costQuality, targetBigShare } = route
  if (mode === 'auto' && targetBigShare === undefined && costQuality !== undefined) {
    const { small, big } = facts.sides
    const smallPrice = expectedPrice(facts.needs.size, small.find(isAmong(facts))?.price)
    const bigPrice = expectedPrice(facts.needs.size, big.find(isAmong(facts))?.price)
    const isPriced = smallPrice !== undefined && bigPrice !== undefined && bigPrice > smallPrice
    return {
      kind: 'gain',
      costQuality,
      threshold: from,
      smallPrice,
      bigPrice,
      // At the threshold the gain is worth just what the big model costs more.
      qualityValue: isPriced && from !== undefined && from > 0 ? (bigPrice - smallPrice) / from : undefined,
    }
  }
  const share = mode === 'balanced' ? BALANCED_BIG_SHARE : (targetBigShare ?? DEFAULT_BIG_SHARE)
  return { kind: 'share', share, rank: rankOf(score), threshold: from }
}

function scoreThreshold({ probe, route }: GoalFacts): Promise<number | undefined> {
  const { options } = probe
  return threshold(async (score) => {
    const scorer = always(score, options.scorer)
    return sideOf(await freshPlan({ ...probe, options: { ...options, scorer } }), route.small)
  })
}

/** The first models that take the request stand for their sides, as they do in the policy. */
function isAmong({ probe, needs }: GoalFacts): (target: Sides['small'][number]) => boolean {
  return (target) =>
    whyOut(target, needs) === undefined && (probe.call.limits?.localBy === undefined || target.tier === 'local')
}

/** Share of the scores that are usual for the head which are lower. */
function rankOf(score: ExplainedScore | undefined): number {
  if (score === undefined || score.usualScores.length === 0) return 0
  return score.usualScores.filter((usual) => usual < score.score).length / score.usualScores.length
}
