import { expect, test } from 'vitest'
import { BillingMeter } from '../../src/simulator/meter.ts'

const RATES = { read: [1n, 10n], write5m: [5n, 4n], write1h: [2n, 1n] } as const
const input = { uncached: 7, cachedRead: 2000, cacheWrite5m: 300, cacheWrite1h: 1100 }
const output = { visible: 41, thinking: 9 }

test('each class of tokens has its own price, and thinking is output', () => {
  const meter = new BillingMeter({
    m: { inputPerM: 3, outputPerM: 15, cachedInputPerM: 0.3, cacheWrite5mPerM: 3.75, cacheWrite1hPerM: 6 },
  })
  meter.bill('m', input, output)
  // 7 x 3000 + 2000 x 300 + 300 x 3750 + 1100 x 6000 + 50 x 15000 nano-dollars
  expect(meter.total()).toBe(21_000n + 600_000n + 1_125_000n + 6_600_000n + 750_000n)
  expect(meter.rows().get('m')).toEqual({
    requests: 1,
    input: 3407,
    cachedInput: 2000,
    cacheWrite5m: 300,
    cacheWrite1h: 1100,
    output: 50,
    thinking: 9,
    nanoUsd: 9_096_000n,
  })
})

test('prices that are shares of the input price give the same bill as the published figures', () => {
  const meter = new BillingMeter({ m: { inputPerM: 3, outputPerM: 15 } }, RATES)
  meter.bill('m', input, output)
  expect(meter.total()).toBe(9_096_000n)
})

test('without shares or prices of their own, cached tokens cost what others cost', () => {
  const meter = new BillingMeter({ m: { inputPerM: 1, outputPerM: 0 } })
  meter.bill('m', input, output)
  expect(meter.total()).toBe(3_407_000n)
})

test('a bill is rounded up once per request, not per class', () => {
  // 0.0007 dollars per million are 0.7 nano-dollars per token: 0.7 + 0.07 + 0.875 + 1.4 + 0.2 = 3.245
  const meter = new BillingMeter({ m: { inputPerM: 0.0007, outputPerM: 0.0002 } }, RATES)
  const one = { uncached: 1, cachedRead: 1, cacheWrite5m: 1, cacheWrite1h: 1 }
  meter.bill('m', one, { visible: 1, thinking: 0 })
  expect(meter.total()).toBe(4n)
  meter.bill('m', one, { visible: 0, thinking: 1 })
  expect(meter.total()).toBe(8n)
})

test('a share of a price is not rounded before it is multiplied', () => {
  // A millionth of a nano-dollar per token; a tenth of it for ten million tokens is one nano-dollar.
  const meter = new BillingMeter({ m: { inputPerM: 1e-9, outputPerM: 0 } }, RATES)
  meter.bill(
    'm',
    { uncached: 0, cachedRead: 10_000_000, cacheWrite5m: 0, cacheWrite1h: 0 },
    { visible: 0, thinking: 0 },
  )
  expect(meter.total()).toBe(1n)
})
