import { NANO_PER_USD } from '../../src/shared/money.ts'
import type { Price } from '../../src/shared/price.ts'
import { cachedAllSession, costOf } from './recorded-cost.ts'
import type { RecordedCall, Session } from './sessions.ts'
import { share } from './spend-figures.ts'

/** The most that any hold can pass which counts each prompt token at this rate. Shares are 0..1 of the sessions. */
export interface Ceiling {
  readonly rate: string
  readonly usdPerM: number
  /** With the budget as a multiple of the cost. */
  readonly passed: number
  /** The same if no output had to be held at all: cut while it streams, at no loss. */
  readonly passedWithoutOutput: number
  /** With the built-in default. */
  readonly refusedByDefault: number
}
export interface Ceilings {
  readonly rates: readonly Ceiling[]
  /** Sessions whose last call alone cost more than the budget has beyond their cost. */
  readonly lastCallTooDear: number
}

/**
 * A hold that is proven holds at least the prompt at the rate that it pays if the provider has forgotten it. So no rule passes a session
 * of which a call does not fit by that and by its true output, counted exactly, with what really was spent before it.
 */
export function ceilings(sessions: readonly Session[], price: Price, factor: number, defaultUsd: number): Ceilings {
  const { inputPerM, cacheWritePerM = inputPerM, cacheWrite1hPerM = cacheWritePerM } = price
  const cost = (call: RecordedCall): number => costOf(call, price, cachedAllSession)
  const whole = ({ calls }: Session): number => calls.reduce((sum, call) => sum + cost(call), 0)
  const ceiling = (rate: string, perM: number): Ceiling => {
    const held = (outputPerM: number) => (call: RecordedCall) =>
      Math.max(cost(call), (call.input * perM + call.output * outputPerM) / 1e6)
    const passes = (session: Session, budget: number, outputPerM: number): boolean =>
      fits(session, budget, held(outputPerM), cost)
    return {
      rate,
      usdPerM: perM / NANO_PER_USD,
      passed: share(sessions, (each) => passes(each, factor * whole(each), price.outputPerM)),
      passedWithoutOutput: share(sessions, (each) => passes(each, factor * whole(each), 0)),
      refusedByDefault: share(sessions, (each) => !passes(each, defaultUsd * NANO_PER_USD, price.outputPerM)),
    }
  }
  return {
    rates: [
      ceiling('cache write of an hour', cacheWrite1hPerM),
      ceiling('cache write of 5 min', cacheWritePerM),
      ceiling('input, the least for what is not cached', inputPerM),
    ],
    lastCallTooDear: sessions.filter((each) => cost(each.calls.at(-1) as RecordedCall) > (factor - 1) * whole(each))
      .length,
  }
}

/** Whether each call finds its hold within the budget, the calls one after the other. */
export function fits(
  { calls }: Session,
  budget: number,
  held: (call: RecordedCall) => number,
  cost: (call: RecordedCall) => number,
): boolean {
  let spent = 0
  for (const call of calls) {
    if (spent + held(call) > budget) return false
    spent += cost(call)
  }
  return true
}
