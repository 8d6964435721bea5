import { describe, expect, test } from 'vitest'
import { moveSession } from '../../benchmarks/agents/moving.ts'
import type { Asked } from '../../benchmarks/savings/ask-all.ts'
import { costOf, figuresOf, oracleCost, type Row } from '../../benchmarks/savings/figures.ts'
import { WAYS, type Way } from '../../benchmarks/savings/routes.ts'
import type { RecordedCall, Session } from '../../scripts/report-spend/sessions.ts'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import { toNanoUsd } from '../../src/shared/money.ts'

const asked = (quality: number, usd: number, isBig = false): Asked => ({
  quality,
  nanoUsd: usd * 1e9,
  isBig,
  isEscalated: false,
})
/** Small and big as given; from `bigFrom` on every setting takes the big model. */
const row = (small: number, big: number, usd: number, bigFrom: number): Row =>
  new Map(
    WAYS.map((way: Way): [Way, Asked] => {
      const isBig = way === 'big' || (typeof way === 'number' && way >= bigFrom)
      return [way, isBig ? asked(big, usd, true) : asked(small, 0)]
    }),
  )

describe('what quality costs', () => {
  test('between two settings it is a mix of both', () => {
    const points = [
      { quality: 10, usd: 0 },
      { quality: 20, usd: 4 },
      { quality: 30, usd: 24 },
    ]
    expect(costOf(points, 5)).toBe(0)
    expect(costOf(points, 15)).toBe(2)
    expect(costOf(points, 25)).toBe(14)
  })

  test('the oracle buys the best gain per dollar first and nothing without a gain', () => {
    const rows = [row(0, 1, 4, 1), row(0, 1, 1, 1), row(1, 1, 1, 1), row(1, 0, 1, 1)]
    expect(oracleCost(rows, 2)).toBe(0)
    expect(oracleCost(rows, 3)).toBe(1)
    expect(oracleCost(rows, 3.5)).toBe(3)
  })

  test('a router that sends up what gains costs as much as the oracle, a coin as much as its share', () => {
    const rows = [row(0, 1, 1, 0.5), row(0, 1, 1, 0.5), row(1, 1, 1, 0.9), row(1, 1, 1, 0.9)]
    const { small, big, at } = figuresOf(rows)
    expect(small).toEqual({ quality: 0.5, usd: 0 })
    expect(big).toEqual({ quality: 1, usd: 1000 })
    expect(at['0.9']?.ours).toBeCloseTo(400)
    expect(at['0.9']?.oracle).toBeCloseTo(400)
    expect(at['0.9']?.random).toBeCloseTo(800)
    expect(at['0.9']?.saving).toBeCloseTo(0.6)
  })
})

describe('calls that move to another model', () => {
  const LOCAL = makePrice(
    { inputPerM: toNanoUsd(1e9), cachedInputPerM: toNanoUsd(5e8), outputPerM: toNanoUsd(0) },
    'test',
  )
  const call = (at: number, input: number, cached: number, answersTool: boolean): RecordedCall => ({
    agent: 'main',
    model: 'claude-opus-4-5-20251101',
    startMs: at,
    tookMs: 1,
    input,
    cached,
    output: 0,
    answersTool,
  })
  /** A turn of two calls that begins small and becomes large, then a small one. */
  const session: Session = {
    id: 's',
    calls: [call(0, 1000, 0, false), call(1, 5000, 1000, true), call(2, 2000, 1000, false)],
    toolStops: 1,
    seconds: 1,
  }
  const NOW = Date.parse('2026-11-01')

  test('a call moves alone by its size, and pays for the prefix that the local model was not sent', () => {
    const moved = moveSession(session, 'call', 2000, LOCAL, NOW)
    expect(moved.movedCalls).toBe(2)
    // 1,000 tokens anew, then 1,000 of them from its own cache and 1,000 anew; $1 and $0.50 per million.
    expect(moved.localUsd).toBeCloseTo(0.0025, 9)
    // The hosted model was never sent the first 1,000: it writes all 5,000 at $6.25.
    expect(moved.hostedUsd).toBeCloseTo(0.031_25, 9)
    expect(moved.usd).toBeCloseTo((2 * 1000 * 0.5 + (1000 + 4000 + 1000) * 6.25) / 1e6, 9)
  })

  test('a turn moves whole or not at all, and so does a session', () => {
    expect(moveSession(session, 'turn', 2000, LOCAL, NOW).movedCalls).toBe(1)
    expect(moveSession(session, 'turn', 5000, LOCAL, NOW).movedCalls).toBe(3)
    expect(moveSession(session, 'session', 4999, LOCAL, NOW).movedCalls).toBe(0)
    expect(moveSession(session, 'session', 5000, LOCAL, NOW)).toMatchObject({ movedCalls: 3, hostedUsd: 0 })
  })
})
