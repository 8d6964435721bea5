/** From a field and a score to an order of models. */
import type { Reason, Target } from '../gateway/steps.ts'
import type { Field } from './field.ts'
import type { Policy, PolicyInput } from './policy.ts'
import { expectedPrice } from './request-size.ts'
import type { Route } from './route.ts'
import { priceAt } from './switch-cost.ts'

export interface Choice {
  readonly targets: readonly Target[]
  readonly reason: Reason
  readonly score: number | undefined
  /** The big side, where it may have to take over from the small one. */
  readonly escalation?: readonly Target[]
}

/** What a policy needs to know of a request that both sides can take: the first of either stands for its side. */
export function inputOf(score: number | undefined, field: Field, chance: number): PolicyInput {
  const { needs, small, big, warm, bar = 1 } = field
  const smallPrice = expectedPrice(needs.size, small[0]?.price)
  const bigPrice = expectedPrice(needs.size, big[0]?.price)
  if (warm === undefined) return { score, smallPrice, bigPrice, chance, bar }
  return {
    score,
    smallPrice: priceAt(needs.size, small[0], warm),
    bigPrice: priceAt(needs.size, big[0], warm),
    chance,
    bar,
    warm: { isBig: big[0] === warm.target, smallPrice, bigPrice },
  }
}

/** What the policy makes of a score, where both sides can take the request. */
export function choose(
  field: Field,
  route: Route,
  policy: Policy,
  score: number | undefined,
  random: () => number,
): Choice {
  const { small, big } = field
  if (route.isLimited === true && (small.length === 0 || big.length === 0))
    return { targets: small.length === 0 ? big : small, reason: 'residency', score: undefined }
  if (small.length === 0) return { targets: big, reason: 'capability', score: undefined }
  if (big.length === 0) return { targets: small, reason: 'capability', score: undefined }
  const decision = policy.decide(inputOf(score, field, random()))
  const [first, second] = decision.isBig ? [big, small] : [small, big]
  return {
    targets: route.isCrossTier ? [...first, ...second] : first,
    reason: route.isLimited === true ? 'residency' : decision.reason,
    score,
    // Who asks for the cheap side gets it.
    ...(decision.isBig || decision.reason === 'pinned' || decision.reason === 'sticky' || route.isSteady === true
      ? {}
      : { escalation: big }),
  }
}

/** A choice among those that a conversation is held to, with the others behind it as they would be for any request. Nothing is escalated: that would be a change, too. */
export function stuck({ targets, score }: Choice, { small, big }: Field, { isCrossTier }: Route): Choice {
  const first = targets[0] as Target
  const [own, other] = small.includes(first) ? [small, big] : [big, small]
  return { targets: [...targets, ...own, ...(isCrossTier ? other : [])], reason: 'sticky', score }
}
