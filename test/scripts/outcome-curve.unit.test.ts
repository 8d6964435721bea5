/** Curves of recorded outcomes, beside the same thing worked out by hand. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcomeCurve } from '../../scripts/docs-curves/outcome-curve.ts'
import { gapCurve } from '../../scripts/router-train/ranking.ts'
import { ticks } from '../../src/report/ticks.ts'

describe('a curve', () => {
  test('sends the highest scores up first', () => {
    const rows = [
      { small: 0, big: 1, cost: { small: 1, big: 5 } },
      { small: 1, big: 1, cost: { small: 1, big: 3 } },
    ]
    const at = (scores: readonly number[]): unknown => outcomeCurve(rows, scores)[25]
    expect(at([2, 1])).toEqual({ share: 0.5, quality: 1, usd: 3 })
    expect(at([1, 2])).toEqual({ share: 0.5, quality: 0.5, usd: 2 })
    // Nobody can tell them apart: the mean of both.
    expect(at([1, 1])).toEqual({ share: 0.5, quality: 0.75, usd: 2.5 })
  })

  test('has the area that the figures of the benchmark have', () => {
    const row = fc.record({
      small: fc.integer({ min: 0, max: 1 }),
      big: fc.constant(1),
      score: fc.integer({ min: 0, max: 9 }),
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 50, maxLength: 50 }), (rows) => {
        const gap = rows.reduce((sum, { small, big }) => sum + big - small, 0) / rows.length
        fc.pre(gap > 0)
        const points = outcomeCurve(
          rows,
          rows.map(({ score }) => score),
        )
        const low = points[0]?.quality ?? 0
        const shares = points.map(({ quality }) => (quality - low) / gap)
        const area = shares.slice(1).reduce((sum, share, i) => sum + (share + (shares[i] as number)) / 2 / 50, 0)
        const { apgr } = gapCurve(
          rows.map(({ score }) => score),
          rows.map(({ small, big }) => big - small),
        )
        expect(area).toBeCloseTo(apgr, 9)
      }),
    )
  })
})

test('ticks are few, round, rising and around all there is', () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      const marks = ticks(low, high, 5)
      const slack = 1e-6 * Math.max(Math.abs(low), Math.abs(high), 1e-6)
      expect(marks.length).toBeGreaterThanOrEqual(2)
      expect(marks.length).toBeLessThanOrEqual(9)
      expect(marks[0]).toBeLessThanOrEqual(low + slack)
      expect(marks.at(-1)).toBeGreaterThanOrEqual(high - slack)
      expect(marks).toEqual([...new Set(marks)].toSorted((x, y) => x - y))
    }),
  )
})
