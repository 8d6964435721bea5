import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatUsd, toNanoUsd } from '../../src/shared/money.ts'

test('dollars are written without an exponent, without zeros at the end, and to the nano-dollar', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(2_000_000_000), fc.maxSafeNat()), (amount) => {
      const text = formatUsd(toNanoUsd(amount))
      const [whole = '', places = ''] = text.split('.')
      expect(text).toMatch(/^\d+(?:\.\d{0,8}[1-9])?$/)
      expect(BigInt(whole) * 1_000_000_000n + BigInt(places.padEnd(9, '0'))).toBe(BigInt(amount))
    }),
  )
})
