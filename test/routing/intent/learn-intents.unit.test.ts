import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atOnce, fitLogistic } from '../../../src/routing/intent/fit-logistic.ts'
import { learnIntentsAtOnce } from '../../../src/routing/intent/learn-intents.ts'
import { likeliest, logitsOf } from '../../../src/routing/intent/linear-classes.ts'
import { nearness } from '../../../src/routing/intent/nearest-examples.ts'

const WIDTH = 16

/** A unit vector near the axis `at`; `noise` tells one from the next. */
function near(at: number, noise: number): Float32Array {
  const vector = Float32Array.from({ length: WIDTH }, (_, i) => (i === at ? 1 : 0.25 * Math.sin(noise * 7 + i * 3)))
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

const cluster = (at: number, from = 0): Float32Array[] => Array.from({ length: 10 }, (_, i) => near(at, from + i))

describe('the regression', () => {
  test('tells clusters apart that it has not seen, whatever their order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2 }), fc.nat(1000), (axes, seed) => {
        const rows = axes.flatMap((axis) => cluster(axis, seed))
        const vectors = new Float32Array(rows.length * WIDTH)
        for (const [i, row] of rows.entries()) vectors.set(row, i * WIDTH)
        const labels = Uint16Array.from(axes.flatMap((_, label) => Array.from({ length: 10 }, () => label)))
        const head = atOnce(fitLogistic({ dimensions: WIDTH, vectors, labels, classes: axes.length }, { fit: 20 }))
        const values = new Float64Array(axes.length)
        for (const [label, axis] of axes.entries()) {
          logitsOf(head, near(axis, seed + 5000), values)
          expect(likeliest(values, axes.length)).toBe(label)
        }
      }),
      { numRuns: 20 },
    )
  })

  test('ends where its gradient does: the loss cannot be lowered by a small step', () => {
    const rows = [...cluster(0), ...cluster(1)]
    const vectors = new Float32Array(rows.length * WIDTH)
    for (const [i, row] of rows.entries()) vectors.set(row, i * WIDTH)
    const labels = Uint16Array.from(rows, (_, i) => (i < 10 ? 0 : 1))
    const { weights, biases } = atOnce(
      fitLogistic({ dimensions: WIDTH, vectors, labels, classes: 2 }, { fit: 3, iterations: 200 }),
    )
    const lossOf = (factor: number): number => {
      const head = { classes: 2, dimensions: WIDTH, weights: weights.map((w) => w * factor), biases }
      const values = new Float64Array(2)
      let loss = 0.5 * head.weights.reduce((sum, w) => sum + w * w, 0)
      for (const [i, row] of rows.entries()) {
        logitsOf(head, row, values)
        const [own, other] = [values[i < 10 ? 0 : 1] as number, values[i < 10 ? 1 : 0] as number]
        loss += 3 * Math.log1p(Math.exp(other - own))
      }
      return loss
    }
    for (const factor of [0.9, 1.1]) expect(lossOf(factor)).toBeGreaterThan(lossOf(1))
  })
})

describe('intents by examples', () => {
  const intents = [0, 1, 2].map((axis) => ({ name: `axis-${axis}`, vectors: cluster(axis) }))

  test('a stranger has a lower scope than any of their own kind', () => {
    const learned = learnIntentsAtOnce(intents, { background: cluster(9) })
    const own = [0, 1, 2].map((axis) => learned.read(near(axis, 777)))
    expect(own.map(({ name }) => name)).toEqual(['axis-0', 'axis-1', 'axis-2'])
    const strangers = [4, 7, 9, 12].map((axis) => learned.read(near(axis, 777)).scope)
    expect(Math.max(...strangers)).toBeLessThan(Math.min(...own.map(({ scope }) => scope)))
    expect(Math.max(...strangers)).toBeLessThan(learned.scopeBelow(0.05))
  })

  test('of two as near to the examples, the one that is more like any request is less in scope', () => {
    const learned = learnIntentsAtOnce(intents, { background: cluster(9) })
    const between = (a: number, b: number): Float32Array =>
      Float32Array.from({ length: WIDTH }, (_, i) => (i === a || i === b ? Math.SQRT1_2 : 0))
    expect(learned.read(between(0, 9)).scope).toBeLessThan(learned.read(between(0, 5)).scope - 0.1)
  })

  test('a single intent is told from what is none', () => {
    const learned = learnIntentsAtOnce(intents.slice(0, 1), { background: [...cluster(9), ...cluster(7)] })
    const least = learned.scopeBelow(0.05)
    expect(learned.read(near(0, 777)).scope).toBeGreaterThanOrEqual(least)
    expect(learned.read(near(5, 777)).scope).toBeLessThan(least)
  })

  test('the same examples give the same reading to the last bit', () => {
    const [one, two] = [learnIntentsAtOnce(intents), learnIntentsAtOnce(intents)]
    for (let axis = 0; axis < WIDTH; axis++) expect(one.read(near(axis, 3))).toEqual(two.read(near(axis, 3)))
  })
})

test('nearness is the mean cosine with the five nearest', () => {
  const rows = new Float32Array(7 * 2)
  for (let i = 0; i < 7; i++) rows.set([Math.cos(i / 10), Math.sin(i / 10)], i * 2)
  const expected = [0, 1, 2, 3, 4].reduce((sum, i) => sum + Math.cos(i / 10), 0) / 5
  expect(nearness(rows, 2, Float32Array.of(1, 0))).toBeCloseTo(expected, 5)
  expect(nearness(rows.subarray(0, 4), 2, Float32Array.of(1, 0))).toBeCloseTo((1 + Math.cos(0.1)) / 2, 5)
})
