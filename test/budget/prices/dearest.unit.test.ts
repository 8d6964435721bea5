import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charge } from '../../../src/budget/prices/charge.ts'
import { dearestInputPerM, dearestOutputPerM, mostItCanCost } from '../../../src/budget/prices/dearest.ts'
import { makePrice } from '../../../src/budget/prices/make-price.ts'
import { toNanoUsd, usdToNano } from '../../../src/shared/money.ts'
import type { Rates } from '../../../src/shared/price.ts'
import { prices, usages } from '../../support/prices.ts'

describe('no usage within the bounds of tokens costs more', () => {
  test('than what is said to be the most, by any kind of token, context tier or service tier', () => {
    fc.assert(
      fc.property(usages, prices, fc.nat(1000), fc.nat(1000), (used, price, spareInput, spareOutput) => {
        const most = mostItCanCost(used.input + spareInput, used.output + spareOutput, price)
        expect(charge(used, price)).toBeLessThanOrEqual(most)
      }),
      { numRuns: 1000 },
    )
  })

  test('than the dearest rates of all, where the length of the prompt is not known', () => {
    fc.assert(
      fc.property(usages, prices, (used, price) => {
        const millionths =
          BigInt(used.input) * BigInt(dearestInputPerM(price)) + BigInt(used.output) * BigInt(dearestOutputPerM(price))
        expect(BigInt(charge(used, price)) * 1_000_000n).toBeLessThan(millionths + 1_000_000n)
      }),
    )
  })
})

const nano = (usd: number): number => usdToNano(usd)
const rates = (inputPerM: number, outputPerM: number, more: Readonly<Record<string, number>> = {}): Rates =>
  Object.fromEntries(
    Object.entries({ inputPerM, outputPerM, ...more }).map(([name, usd]) => [name, usdToNano(usd)]),
  ) as unknown as Rates

describe('the dearest rate', () => {
  const price = makePrice(
    {
      ...rates(2, 10, { cacheWritePerM: 2.5, cachedInputPerM: 0.2, reasoningPerM: 12 }),
      tiers: [{ aboveInputTokens: 1000, ...rates(4, 15, { cacheWritePerM: 5, reasoningPerM: 18 }) }],
      serviceTiers: { priority: rates(4.5, 20), flex: rates(1, 5) },
    },
    'test',
  )

  test.each([
    ['any prompt', undefined, 5, 20],
    ['a prompt that reaches the tier', 1001, 5, 20],
    ['a prompt that does not', 1000, 4.5, 20],
  ])('of %s', (_what, inputTokensMost, input, output) => {
    expect(dearestInputPerM(price, inputTokensMost)).toBe(nano(input))
    expect(dearestOutputPerM(price, inputTokensMost)).toBe(nano(output))
  })

  test('counts kinds of tokens', () => {
    const { serviceTiers: _none, tiers: _neither, ...flat } = price
    expect([dearestInputPerM(flat), dearestOutputPerM(flat)]).toEqual([nano(2.5), nano(12)])
  })
})

test('a bound beyond the safe integers is an error', () => {
  const price = makePrice({ inputPerM: toNanoUsd(Number.MAX_SAFE_INTEGER), outputPerM: toNanoUsd(0) }, 'test')
  expect(() => mostItCanCost(2_000_000, 0, price)).toThrow(RangeError)
})
