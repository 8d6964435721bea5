import fc from 'fast-check'
import { expect, test } from 'vitest'
import { charge } from '../../src/budget/charge.ts'
import { formatUsd, toNanoUsd, usdToNano } from '../../src/shared/money.ts'
import { usage } from '../support/fake-steps.ts'

const perM = fc.integer({ min: 0, max: 1_000_000_000_000 })
const tokens = fc.integer({ min: 0, max: 2_000_000 })

test('a charge is the exact price rounded up once, whatever the figures are', () => {
  fc.assert(
    fc.property(
      tokens,
      tokens,
      tokens,
      perM,
      perM,
      perM,
      (input, cached, output, inputPerM, cachedPerM, outputPerM) => {
        const price = {
          inputPerM: toNanoUsd(inputPerM),
          cachedInputPerM: toNanoUsd(cachedPerM),
          outputPerM: toNanoUsd(outputPerM),
          source: 'test',
        }
        const paid = charge({ ...usage(input, output), cachedInput: cached }, price)
        const hit = Math.min(cached, input)
        const exact =
          BigInt(input - hit) * BigInt(inputPerM) +
          BigInt(hit) * BigInt(cachedPerM) +
          BigInt(output) * BigInt(outputPerM)
        expect(BigInt(paid)).toBe((exact + 999_999n) / 1_000_000n)
      },
    ),
  )
})

test('cached tokens without a price of their own cost as much as others', () => {
  const price = { inputPerM: usdToNano(1), outputPerM: usdToNano(1), source: 'test' }
  expect(charge({ ...usage(100, 0), cachedInput: 60 }, price)).toBe(charge(usage(100, 0), price))
})

test('an amount beyond the safe integers is an error, never a rounding', () => {
  const price = { inputPerM: toNanoUsd(Number.MAX_SAFE_INTEGER), outputPerM: toNanoUsd(0), source: 'test' }
  expect(() => charge(usage(2_000_000, 0), price)).toThrow(RangeError)
})

test.each([
  [0, '0'],
  [1, '0.000000001'],
  [123_456, '0.000123456'],
  [1_500_000_000, '1.5'],
  [25_000_000_000, '25'],
])('%i nano-dollars are shown as %s', (nano, shown) => {
  expect(formatUsd(toNanoUsd(nano))).toBe(shown)
})

test('dollars with up to nine places survive the way to nano-dollars and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (nano) => {
      expect(usdToNano(Number(formatUsd(toNanoUsd(nano))))).toBe(nano)
    }),
  )
})
