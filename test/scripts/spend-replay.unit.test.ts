import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ceilings } from '../../scripts/report-spend/ceilings.ts'
import { sizeHold, type HoldRule } from '../../scripts/report-spend/hold-size.ts'
import { cachedAllSession, costOf as costOfRecorded } from '../../scripts/report-spend/recorded-cost.ts'
import { replay } from '../../scripts/report-spend/replay.ts'
import type { RecordedCall, Session } from '../../scripts/report-spend/sessions.ts'
import { holdOf, knownBeginnings } from '../../scripts/report-spend/trial-setups.ts'
import { holdFor } from '../../src/budget/hold/hold.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import { toNanoUsd, type NanoUsd } from '../../src/shared/money.ts'
import type { Price } from '../../src/shared/price.ts'
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
  answersTool: false,
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

describe('the ceiling of all proven holds', () => {
  const opus = priceAt(scheduleOf('anthropic', 'claude-opus-4-5'), Date.parse('2026-08-01')) as Price
  const calls = fc.array(
    fc.record({ input: fc.nat({ max: 100_000 }), share: fc.nat({ max: 100 }), output: fc.nat({ max: 9000 }) }),
    { minLength: 1, maxLength: 12 },
  )

  test('is not passed by any rule that holds as much, however exact it is', () => {
    let passed = 0
    fc.assert(
      fc.property(calls, fc.boolean(), (given, lowersCap) => {
        const all = session(
          ...given.map(({ input, share, output }, at) =>
            call(at * 2000, { input, cached: Math.floor((input * share) / 100), output }),
          ),
        )
        const rule = { holdAt: holdOf(opus, ({ input }) => input), cap: 9000, lowersCap }
        const cost = (each: RecordedCall): NanoUsd => costOfRecorded(each, opus, cachedAllSession)
        const whole = all.calls.reduce((sum, each) => sum + cost(each), 0)
        const outcome = replay(all, toNanoUsd(Math.ceil(2 * whole)), rule, cost)
        const isPassed = !outcome.isRefused && outcome.cutShort === 0
        const { rates } = ceilings([all], opus, 2, 25)
        if (isPassed) {
          passed += 1
          expect(rates.map((each) => [each.passed, each.passedWithoutOutput])).toEqual([
            [1, 1],
            [1, 1],
            [1, 1],
          ])
        }
        // A lower rate, and nothing held for output, can only pass more.
        const shares = rates.map((each) => each.passed)
        expect(shares).toEqual(shares.toSorted((a, b) => a - b))
        for (const each of rates) expect(each.passedWithoutOutput).toBeGreaterThanOrEqual(each.passed)
      }),
    )
    expect(passed).toBeGreaterThan(0)
  })

  test('counts a call in the middle that does not fit when it is cold, and a last one that is dear by itself', () => {
    const warm = call(0, { input: 100_000, cached: 100_000, output: 0 })
    const most = ceilings([session(warm, warm), session(call(0), call(1, { input: 50_000 }))], opus, 1.2, 1)
    // Cold, the first call of the first session is ten times what it costs.
    expect(most.rates.map((each) => each.passed)).toEqual([0, 0.5, 0.5])
    expect(most.lastCallTooDear).toBe(2)
    expect(most.rates.map((each) => each.refusedByDefault)).toEqual([0.5, 0, 0])
  })
})

test('a known beginning is the prompt before of the same agent, as far as blocks show it', () => {
  const first = call(0, { input: 1000 })
  const other = call(1, { input: 5000, agent: 'helper' })
  const next = call(2, { input: 1100, cached: 960 })
  const early = call(3, { input: 1200, cached: 1100 - 128 })
  const rewritten = call(4, { input: 1300, cached: 1200 - 129 })
  const shorter = call(5, { input: 1200, cached: 1200 })
  const bound = knownBeginnings([session(first, other, next, early, rewritten, shorter)], 4)
  expect([first, other, next, early, rewritten, shorter].map(bound)).toEqual([
    4000,
    20_000,
    1000 + 400,
    1100 + 400,
    5200,
    4800,
  ])
})
