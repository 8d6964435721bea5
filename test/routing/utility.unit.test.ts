import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import { budgetBar } from '../../src/routing/budget-bar.ts'
import { createPolicy, type PolicyInput } from '../../src/routing/policy.ts'
import { expectedPrice, promptTokens, type RequestSize } from '../../src/routing/request-size.ts'
import { priceAt } from '../../src/routing/switch-cost.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { target } from '../support/fake-steps.ts'

const unit = fc.double({ min: 0, max: 1, noNaN: true })
const money = fc.integer({ min: 0, max: 10 ** 12 })
const side = fc.record({ isBig: fc.boolean(), smallPrice: money, bigPrice: money })
const input: fc.Arbitrary<PolicyInput> = fc.record(
  {
    score: unit,
    smallPrice: money,
    bigPrice: money,
    chance: fc.constant(0.5),
    bar: fc.double({ min: 1, max: 100, noNaN: true }),
    warm: side,
  },
  { requiredKeys: ['score', 'smallPrice', 'bigPrice', 'chance'] },
)
const goal = fc.oneof(fc.record({ costQuality: unit }), fc.record({ targetBigShare: unit }))

/** What a fresh policy with some usual scores says: share policies remember what they decided. */
function isBig(by: { costQuality?: number; targetBigShare?: number }, given: PolicyInput): boolean {
  const usualScores = Array.from({ length: 100 }, (_, i) => i / 100)
  return createPolicy('auto', by, { usualScores }).decide(given).isBig
}

/** Never from big to small as `more` grows out of `less`. */
const rises = (less: boolean, more: boolean): void => expect(!less || more).toBe(true)

describe('laws of the decision, for shares and for cost-quality, warm and cold', () => {
  test('more gain never loses the big model', () => {
    fc.assert(
      fc.property(goal, input, unit, (by, given, other) => {
        const [low, high] = [Math.min(given.score as number, other), Math.max(given.score as number, other)]
        rises(isBig(by, { ...given, score: low }), isBig(by, { ...given, score: high }))
      }),
      { numRuns: 2000 },
    )
  })

  test('a dearer big model never wins by it, nor a cheaper small one', () => {
    fc.assert(
      fc.property(goal, input, money, (by, given, more) => {
        const dearer = { ...given, bigPrice: (given.bigPrice as number) + more }
        rises(isBig(by, dearer), isBig(by, given))
        const cheaper = { ...given, smallPrice: Math.max(0, (given.smallPrice as number) - more) }
        rises(isBig(by, cheaper), isBig(by, given))
      }),
      { numRuns: 2000 },
    )
  })

  test('less money left in the task never wins the big model', () => {
    fc.assert(
      fc.property(goal, input, money, money, money, (by, given, spent, left, less) => {
        const barAt = (remaining: number): number => budgetBar(spent, remaining, given.bigPrice)
        rises(isBig(by, { ...given, bar: barAt(Math.max(0, left - less)) }), isBig(by, { ...given, bar: barAt(left) }))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the bar of a task', () => {
  test.each([
    ['no limit', 100, undefined, 10, 1],
    ['nothing spent', 0, 100, 10, 1],
    ['as much left as was spent', 100, 100, 10, 1],
    ['half of it left', 100, 50, 10, 2],
    ['less left than the request would cost', 10, 9, 10, Number.POSITIVE_INFINITY],
    ['nothing left', 10, 0, undefined, Number.POSITIVE_INFINITY],
  ] as const)('%s', (_, spent, remaining, bigPrice, bar) => {
    expect(budgetBar(spent, remaining, bigPrice)).toBe(bar)
  })

  test.each([{ costQuality: 0.5 }, { targetBigShare: 0.3 }])(
    'turns a gain that would be worth its price, with the reason budget (%o)',
    (by) => {
      const policy = (): ReturnType<typeof createPolicy> =>
        createPolicy('auto', by, { usualScores: Array.from({ length: 100 }, (_, i) => i / 100) })
      const given = { score: 0.8, smallPrice: 0, bigPrice: 100, chance: 0.5 }
      expect(policy().decide(given).isBig).toBe(true)
      expect(policy().decide({ ...given, bar: 1.1 }).isBig).toBe(true)
      expect(policy().decide({ ...given, bar: 10 })).toEqual({ isBig: false, reason: 'budget' })
    },
  )
})

describe('the price of a request whose conversation is warm', () => {
  const rates = { inputPerM: toNanoUsd(3e9), outputPerM: toNanoUsd(15e9), cachedInputPerM: toNanoUsd(3e8) }
  const sonnet = target('sonnet', { price: makePrice({ ...rates, cacheWritePerM: toNanoUsd(3_750_000_000) }, 'test') })
  const cheap = target('cheap', {
    price: makePrice(
      { inputPerM: toNanoUsd(1e8), outputPerM: toNanoUsd(4e8), cachedInputPerM: toNanoUsd(5e7) },
      'test',
    ),
  })
  const size: RequestSize = { textBytes: 350_000, mediaTokens: 0, outputCap: 0, answers: 1 }
  const prompt = promptTokens(size)

  test('reads the prefix at the cached rate where it is', () => {
    const plain = expectedPrice(size, sonnet.price) as number
    // 80,000 tokens at $0.30 a million in the place of $3.
    expect(priceAt(size, sonnet, { target: sonnet, tokens: 80_000 })).toBe(plain - 80_000 * 2700)
  })

  test('writes it anew at the other, and loses it where it was', () => {
    expect(prompt).toBe(100_000)
    const plain = expectedPrice(size, cheap.price) as number
    expect(priceAt(size, cheap, { target: sonnet, tokens: 80_000 })).toBe(plain + 80_000 * (2700 + 750))
    const dear = expectedPrice(size, sonnet.price) as number
    expect(priceAt(size, sonnet, { target: cheap, tokens: 80_000 })).toBe(dear + 80_000 * (750 + 50))
  })

  test('counts no more of a prefix than the request has', () => {
    const plain = expectedPrice(size, sonnet.price) as number
    expect(priceAt(size, sonnet, { target: sonnet, tokens: 10 ** 9 })).toBe(plain - prompt * 2700)
  })
})
