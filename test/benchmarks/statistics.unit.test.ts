import { array, assert, double, property } from 'fast-check'
import { expect, test } from 'vitest'
import { quantile, ratios, spread } from '../../benchmarks/support/statistics.ts'

test.each([
  [[5], 0.99, 5],
  [[1, 2, 3, 4], 0.5, 2.5],
  [[4, 1, 3, 2], 0, 1],
  [[4, 1, 3, 2], 1, 4],
  [[10, 20], 0.25, 12.5],
])('the quantile of %j at %d is %d', (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected)
})

test('a figure without a measurement is an error, not a zero', () => {
  expect(() => spread([])).toThrow('no values')
})

test('ratios are taken within a round, so a drift that hits both leaves them alone', () => {
  const drifting = [1, 3, 9, 27]
  const twice = drifting.map((value) => 2 * value)
  expect(ratios(twice, drifting)).toEqual({ n: 4, min: 2, median: 2, max: 2 })
})

test('min <= median <= max, whatever was measured', () => {
  assert(
    property(array(double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
      const { min, median, max } = spread(values)
      expect(min).toBeLessThanOrEqual(median)
      expect(median).toBeLessThanOrEqual(max)
    }),
  )
})
