import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShareController, shareErrorBound } from '../../src/routing/share-controller.ts'

/** Seeded chance, uniform in [0, 1). */
function chanceFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** Kinds of traffic: what the i-th request scores. */
const TRAFFIC: Readonly<Record<string, (i: number, chance: () => number) => number>> = {
  constant: () => 0.37,
  uniform: (_, chance) => chance(),
  'in a narrow band': (_, chance) => 0.2 + chance() * 0.001,
  'of two values': (_, chance) => (chance() < 0.9 ? 0.1 : 0.9),
  rising: (i) => i / 10_000,
  falling: (i) => 1 - i / 10_000,
  'jumping between two kinds': (i, chance) => (Math.floor(i / 300) % 2 === 0 ? 0.1 : 0.6) + chance() * 0.1,
  'swinging with the decisions': (i) => 0.5 + 0.5 * Math.sin(i / 7),
}

describe.each(Object.keys(TRAFFIC))('scores %s', (kind) => {
  test.each([0.05, 0.3, 0.5, 0.9])('any 1,000 consecutive decisions keep a share of %f within 3 points', (target) => {
    const chance = chanceFrom(7)
    const controller = new ShareController(target)
    const score = TRAFFIC[kind] as (i: number, chance: () => number) => number
    const decisions = Array.from({ length: 5000 }, (_, i) => controller.isBig(score(i, chance), chance()))

    for (let start = 0; start + 1000 <= decisions.length; start += 50) {
      const share = decisions.slice(start, start + 1000).filter(Boolean).length / 1000
      expect(Math.abs(share - target)).toBeLessThanOrEqual(0.03)
    }
  })
})

test('no sequence of scores, however made, moves the share further than the bound', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 50, maxLength: 400 }),
      fc.integer(),
      (target, scores, seed) => {
        const controller = new ShareController(target)
        const chance = chanceFrom(seed)
        const big = scores.filter((score) => controller.isBig(score, chance())).length
        expect(Math.abs(big / scores.length - target)).toBeLessThanOrEqual(shareErrorBound(scores.length) + 1e-9)
      },
    ),
    { numRuns: 300 },
  )
})

test('the requests with the higher scores are the ones that go to the big model', () => {
  const chance = chanceFrom(3)
  const controller = new ShareController(0.3)
  let [bigSum, bigCount, smallSum, smallCount] = [0, 0, 0, 0]
  for (let i = 0; i < 5000; i++) {
    const score = chance()
    if (controller.isBig(score, chance())) {
      bigSum += score
      bigCount++
    } else {
      smallSum += score
      smallCount++
    }
  }
  // A perfect cut at 30 % has the means 0.85 and 0.35.
  expect(bigSum / bigCount).toBeGreaterThan(0.8)
  expect(smallSum / smallCount).toBeLessThan(0.38)
})

test('scores that hardly differ are told apart as well as scores that differ much', () => {
  const chance = chanceFrom(5)
  const controller = new ShareController(0.3)
  let right = 0
  for (let i = 0; i < 5000; i++) {
    const isUpper = i % 10 < 3
    if (controller.isBig(isUpper ? 0.2002 : 0.2001, chance()) === isUpper) right++
  }
  expect(right / 5000).toBeGreaterThan(0.85)
})

test('equal scores are parted by chance, not in a rhythm that a caller’s own rhythm could meet', () => {
  const chance = chanceFrom(11)
  const controller = new ShareController(0.3)
  const bigs = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 10_000; i++) if (controller.isBig(0.5, chance())) bigs[i % 10] = (bigs[i % 10] as number) + 1
  for (const count of bigs) expect(Math.abs(count / 1000 - 0.3)).toBeLessThan(0.06)
})

test('a share of 0 and of 1 holds for every single request', () => {
  const never = new ShareController(0)
  const always = new ShareController(1)
  for (let i = 0; i < 2000; i++) {
    expect(never.isBig((i % 10) / 10, 0.99)).toBe(false)
    expect(always.isBig((i % 10) / 10, 0)).toBe(true)
  }
})

test.each([-0.1, 1.1, Number.NaN])('%f is refused as a share', (share) => {
  expect(() => new ShareController(share)).toThrow(RangeError)
})

test('with scores that are usual the first request is already decided by its score, and they are soon forgotten', () => {
  const usual = Array.from({ length: 32 }, (_, i) => i / 32)
  const first = (score: number, chance: number): boolean => new ShareController(0.3, usual).isBig(score, chance)
  for (const chance of [0, 0.5, 0.999]) {
    expect(first(0.1, chance)).toBe(false)
    expect(first(0.95, chance)).toBe(true)
  }
  // Traffic whose scores are all low by that measure still gets its share.
  const controller = new ShareController(0.3, usual)
  const big = Array.from({ length: 500 }, (_, i) => controller.isBig(((i * 7919) % 500) / 10_000, 0.5)).filter(Boolean)
  expect(Math.abs(big.length / 500 - 0.3)).toBeLessThan(shareErrorBound(500))
})
