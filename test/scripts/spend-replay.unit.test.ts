import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sizeHold, type HoldRule } from '../../scripts/report-spend/hold-size.ts'
import { replay } from '../../scripts/report-spend/replay.ts'
import type { RecordedCall, Session } from '../../scripts/report-spend/sessions.ts'
import { holdOf } from '../../scripts/report-spend/trial-setups.ts'
import { holdFor } from '../../src/budget/hold.ts'
import { toNanoUsd, type NanoUsd } from '../../src/shared/money.ts'
import { prices } from '../support/prices.ts'

/** One nano-dollar a token; the hold takes the prompt for twice as long as it is. */
const costOf = ({ input, output }: RecordedCall): NanoUsd => toNanoUsd(input + output)
const rule = (lowersCap: boolean): HoldRule => ({
  holdAt: ({ input }, cap) => toNanoUsd(2 * input + cap),
  cap: 5000,
  lowersCap,
})

const call = (startMs: number, given: Partial<RecordedCall> = {}): RecordedCall => ({
  agent: 'main',
  model: 'any',
  startMs,
  tookMs: 1000,
  input: 100,
  cached: 0,
  output: 50,
  ...given,
})
const session = (...calls: readonly RecordedCall[]): Session => ({ id: 's', calls, toolStops: 0, seconds: 0 })
const run = (limit: number, lowersCap: boolean, ...calls: readonly RecordedCall[]) =>
  replay(session(...calls), toNanoUsd(limit), rule(lowersCap), costOf)

describe('recorded calls against a budget', () => {
  test('a session passes when each call finds what was spent and its own hold within the limit', () => {
    expect(run(5350, false, call(0), call(2000))).toMatchObject({ isRefused: false, sent: 2, waited: 0 })
  })

  test('one nano-dollar less refuses the second call, and the session ends there', () => {
    expect(run(5349, false, call(0), call(2000), call(4000))).toMatchObject({ isRefused: true, sent: 1 })
  })

  test('a caller who sends no cap gets the largest that fits, and a shorter answer where that is too small', () => {
    expect(run(5349, true, call(0), call(2000))).toMatchObject({ isRefused: false, sent: 2, cutShort: 0 })
    expect(run(450, true, call(0), call(2000, { output: 100 }))).toMatchObject({ isRefused: false, cutShort: 0 })
    expect(run(450, true, call(0), call(2000, { output: 101 }))).toMatchObject({ isRefused: false, cutShort: 1 })
  })

  test('below the useful floor a call is refused rather than cut', () => {
    expect(run(413, true, call(0), call(2000))).toMatchObject({ isRefused: true, sent: 1 })
  })

  test('a call that only lacks what others hold waits for their end and is not refused', () => {
    const other = { agent: 'helper' }
    expect(run(6000, false, call(0), call(100, other))).toMatchObject({
      isRefused: false,
      sent: 2,
      waited: 1,
      concurrency: 1,
    })
    expect(run(20_000, false, call(0), call(100, other))).toMatchObject({ waited: 0, concurrency: 2 })
  })

  test('a wait of more than ten seconds is a call that is sent again, and its agent is late from then on', () => {
    const slow = call(0, { tookMs: 20_000 })
    const outcome = run(6000, false, slow, call(100, { agent: 'helper' }), call(5000, { agent: 'helper' }))
    expect(outcome).toMatchObject({ isRefused: false, sent: 3, waited: 1, sentAgain: 1, concurrency: 1 })
  })

  test('what is spent never passes the limit, and a larger limit never sends less', () => {
    const calls = fc.array(
      fc.record({
        agent: fc.constantFrom('main', 'a', 'b'),
        startMs: fc.integer({ min: 0, max: 20_000 }),
        tookMs: fc.integer({ min: 0, max: 9000 }),
        input: fc.integer({ min: 0, max: 3000 }),
        output: fc.integer({ min: 0, max: 5000 }),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(calls, fc.integer({ min: 0, max: 100_000 }), fc.boolean(), (given, limit, lowersCap) => {
        let spent = 0
        const sorted = given.map((each) => call(each.startMs, each)).toSorted((a, b) => a.startMs - b.startMs)
        const outcome = replay(session(...sorted), toNanoUsd(limit), rule(lowersCap), (each) => {
          const cost = costOf(each)
          spent += cost
          return cost
        })
        if (outcome.cutShort === 0) expect(spent).toBeLessThanOrEqual(limit)
        expect(outcome.isRefused || outcome.sent === sorted.length).toBe(true)
        const whole = sorted.reduce((sum, each) => sum + costOf(each) + each.input, 0) + 5000
        expect(run(whole * 20, lowersCap, ...sorted)).toMatchObject({ isRefused: false, cutShort: 0 })
      }),
    )
  })

  test('a lowered cap is the one that the ledger injects where the caller sends none', () => {
    const amounts = fc.integer({ min: 0, max: 10_000_000_000_000 })
    fc.assert(
      fc.property(prices, fc.nat({ max: 300_000 }), amounts, (price, input, remaining) => {
        fc.pre(price.outputPerM > 0)
        const rule = { holdAt: holdOf(price, (each) => each.input), cap: 32_000, lowersCap: true }
        const bound = { tokens: input, mediaTokens: 0, extraOutputTokens: 0, unbounded: [], isExact: false }
        const decision = holdFor({
          request: { n: 1 },
          price,
          bound,
          remaining: toNanoUsd(remaining),
          contextTokens: undefined,
          outputLimit: rule.cap,
        })
        const sized = sizeHold(call(0, { input }), rule, remaining)
        expect(sized).toEqual(
          decision.kind === 'refused' ? undefined : { amount: decision.amount, cap: decision.outputCap },
        )
      }),
    )
  })
})
