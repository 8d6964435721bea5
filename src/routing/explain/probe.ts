/**
 * Asks routers of the same configuration what they would do if one thing were different. Each answer comes from a router of its own
 * that has seen no traffic, so that nothing is learned here that the service would not do, and no state is touched.
 */
import type { Admission, Call, RoutePlan } from '../../gateway/steps.ts'
import { createRouter, type RouterOptions } from '../router.ts'
import type { Scorer } from '../scorer.ts'
import type { Side } from './explanation.ts'

export interface Probe {
  readonly options: RouterOptions
  readonly call: Call
  readonly admission: Admission
}

/** The plan of a router that has seen no traffic. Throws what it throws. */
export async function freshPlan({ options, call, admission }: Probe): Promise<RoutePlan> {
  return createRouter(options).route(call, admission)
}

/** The side that a plan goes to. */
export function sideOf(plan: RoutePlan, small: readonly string[]): Side {
  return small.includes(plan.targets[0].name) ? 'small' : 'big'
}

/** Steps of a bisection: a threshold to within a thousandth of a thousandth. */
const STEPS = 20

/** The number in 0..1 from which `sideAt` is big; undefined = it is the same side at both ends. */
export async function threshold(sideAt: (value: number) => Promise<Side>): Promise<number | undefined> {
  let [low, high] = [0, 1]
  const first = await sideAt(low)
  if (first === (await sideAt(high))) return undefined
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2
    if ((await sideAt(middle)) === first) low = middle
    else high = middle
  }
  return high
}

/** The same scorer in all but what it says. */
export function always(score: number, scorer: Scorer): Scorer {
  return {
    ...(scorer.usualScores === undefined ? {} : { usualScores: scorer.usualScores }),
    score: () => score,
    forPair: (models) => always(score, scorer.forPair?.(models) ?? scorer),
  }
}
