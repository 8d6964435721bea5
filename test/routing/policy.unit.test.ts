import { describe, expect, test } from 'vitest'
import { createPolicy, type PolicyInput } from '../../src/routing/policy.ts'

const INPUT: PolicyInput = { score: 0.5, smallPrice: 10, bigPrice: 100, chance: 0.5 }

test('cheap and best are the choice of the caller and ask for no score', () => {
  const cheap = createPolicy('cheap', { targetBigShare: 1 })
  const best = createPolicy('best', { targetBigShare: 0 })

  expect(cheap.wantsScore).toBe(false)
  expect(best.wantsScore).toBe(false)
  expect(cheap.decide({ ...INPUT, score: 1 })).toEqual({ isBig: false, reason: 'pinned' })
  expect(best.decide({ ...INPUT, score: 0 })).toEqual({ isBig: true, reason: 'pinned' })
})

test('a route that sets a share is held to it, whatever its cost-quality says', () => {
  const policy = createPolicy('auto', { targetBigShare: 0, costQuality: 1 })
  expect(policy.decide(INPUT)).toEqual({ isBig: false, reason: 'share' })
})

test.each([
  ['auto', {}, 0.3],
  ['auto', { targetBigShare: 0.1 }, 0.1],
  ['balanced', { targetBigShare: 0.1 }, 0.5],
  ['balanced', { costQuality: 0.9 }, 0.5],
] as const)('%s with %o sends a share of %f up', (mode, target, share) => {
  const policy = createPolicy(mode, target)
  const decisions = Array.from({ length: 2000 }, (_, i) => policy.decide({ ...INPUT, score: (i % 97) / 97 }))

  expect(decisions.filter(({ isBig }) => isBig).length / 2000).toBeCloseTo(share, 1)
  expect(new Set(decisions.map(({ reason }) => reason))).toEqual(new Set(['share']))
})

describe('cost-quality', () => {
  test.each([
    // costQuality, score, small price, big price, big?
    [0, 1, 10, 100, false],
    [0, 1, 100, 100, true],
    [0.5, 0.19, 10, 100, true],
    [0.5, 0.17, 10, 100, false],
    [0.5, 0.21, 0, 100, true],
    [0.5, 0.19, 0, 100, false],
    [0.5, 0.05, 90, 100, true],
    [0.9, 0.03, 10, 100, true],
    [0.1, 0.9, 10, 100, false],
    [0.5, 0, 100, 50, true],
    [1, 0, 10, 100, true],
  ] as const)('%f with gain %f at %i against %i: big = %s', (costQuality, score, smallPrice, bigPrice, isBig) => {
    const policy = createPolicy('auto', { costQuality })
    expect(policy.decide({ score, smallPrice, bigPrice, chance: 0.5 })).toEqual({ isBig, reason: 'gain' })
  })

  test('where a price is unknown the small model counts as free', () => {
    const policy = createPolicy('auto', { costQuality: 0.5 })
    expect(policy.decide({ ...INPUT, score: 0.21, smallPrice: undefined }).isBig).toBe(true)
    expect(policy.decide({ ...INPUT, score: 0.19, bigPrice: undefined }).isBig).toBe(false)
  })
})

describe('without a score', () => {
  test('a share is kept by chance and the reason says degraded', () => {
    const policy = createPolicy('auto', { targetBigShare: 0.3 })
    expect(policy.decide({ ...INPUT, score: undefined, chance: 0.29 })).toEqual({ isBig: true, reason: 'degraded' })
    expect(policy.decide({ ...INPUT, score: undefined, chance: 0.31 })).toEqual({ isBig: false, reason: 'degraded' })
  })

  test('cost-quality assumes an average gain', () => {
    const bold = createPolicy('auto', { costQuality: 0.6 })
    const thrifty = createPolicy('auto', { costQuality: 0.4 })
    expect(bold.decide({ ...INPUT, score: undefined })).toEqual({ isBig: true, reason: 'degraded' })
    expect(thrifty.decide({ ...INPUT, score: undefined })).toEqual({ isBig: false, reason: 'degraded' })
  })
})
