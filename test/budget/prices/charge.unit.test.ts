import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charge } from '../../../src/budget/prices/charge.ts'
import { makePrice, type Figures } from '../../../src/budget/prices/make-price.ts'
import { UnlimitedLedger } from '../../support/unlimited-ledger.ts'
import { formatUsd, toNanoUsd, usdToNano } from '../../../src/shared/money.ts'
import { isTierPriced, type Price, type Rates } from '../../../src/shared/price.ts'
import { makeCall, target, usage } from '../../support/fake-steps.ts'
import { parts, prices, rates, SERVICE_TIERS, usageOf, usages, KINDS, type Parts } from '../../support/prices.ts'

const price = (figures: Figures): Price => makePrice(figures, 'test')
const dollars = (figures: Readonly<Record<string, number>>): Rates =>
  Object.fromEntries(Object.entries(figures).map(([name, usd]) => [name, usdToNano(usd)])) as unknown as Rates

/** Millionths of a nano-dollar by whole numbers without a bound: the judge of our arithmetic. */
function exact(p: Parts, r: Rates): bigint {
  const times = (count: number, perM: number): bigint => BigInt(count) * BigInt(perM)
  const write = r.cacheWritePerM ?? r.inputPerM
  return (
    times(p.plain, r.inputPerM) +
    times(p.cached, r.cachedInputPerM ?? r.inputPerM) +
    times(p.written, write) +
    times(p.written1h, r.cacheWrite1hPerM ?? write) +
    times(p.audio, r.audioInputPerM ?? r.inputPerM) +
    times(p.image, r.imageInputPerM ?? r.inputPerM) +
    times(p.text, r.outputPerM) +
    times(p.reasoning, r.reasoningPerM ?? r.outputPerM) +
    times(p.audioOut, r.audioOutputPerM ?? r.outputPerM) +
    times(p.imageOut, r.imageOutputPerM ?? r.outputPerM)
  )
}

describe('a charge', () => {
  test('is never below the exact price and less than one nano-dollar above it, whatever the kinds of tokens', () => {
    fc.assert(
      fc.property(parts, rates, (p, r) => {
        const over = BigInt(charge(usageOf(p), price(r))) * 1_000_000n - exact(p, r)
        expect(over >= 0n && over < 1_000_000n).toBe(true)
      }),
    )
  })

  test('takes the rates of the service tier and of the last context tier that the prompt passes, for all tokens', () => {
    fc.assert(
      fc.property(
        parts,
        prices,
        fc.option(fc.constantFrom(...SERVICE_TIERS), { nil: undefined }),
        (p, all, service) => {
          const used = usageOf(p, service)
          const table = (service === undefined ? undefined : all.serviceTiers?.[service]) ?? all
          const tier = table.tiers?.filter(({ aboveInputTokens }) => used.input > aboveInputTokens).at(-1)
          expect(charge(used, all)).toBe(charge(usageOf(p), price(tier ?? { ...table, tiers: [] })))
        },
      ),
    )
  })

  test('of two requests together lies between the sum of both and one nano-dollar less', () => {
    fc.assert(
      fc.property(parts, parts, rates, (a, b, r) => {
        const both = Object.fromEntries(
          Object.entries(a).map(([kind, count]) => [kind, count + b[kind as keyof Parts]]),
        ) as unknown as Parts
        const apart = charge(usageOf(a), price(r)) + charge(usageOf(b), price(r))
        const together = charge(usageOf(both), price(r))
        expect(together <= apart && together >= apart - 1).toBe(true)
      }),
    )
  })

  test('never falls when a token of any kind is added', () => {
    const kind = fc.constantFrom(...KINDS)
    fc.assert(
      fc.property(parts, rates, kind, fc.integer({ min: 1, max: 1000 }), (p, r, kind, more) => {
        const grown = { ...p, [kind]: p[kind] + more }
        expect(charge(usageOf(grown), price(r))).toBeGreaterThanOrEqual(charge(usageOf(p), price(r)))
      }),
    )
  })

  test('never falls when the whole grows, even of a usage whose parts do not fit into it', () => {
    fc.assert(
      fc.property(usages, rates, fc.nat(1000), fc.nat(1000), (used, r, input, output) => {
        const grown = { ...used, input: used.input + input, output: used.output + output }
        expect(charge(grown, price(r))).toBeGreaterThanOrEqual(charge(used, price(r)))
      }),
    )
  })
})

test.each<[string, Partial<ReturnType<typeof usage>>, number]>([
  ['plain', {}, 100 * 10 + 100 * 100],
  ['cached', { cachedInput: 60 }, 40 * 10 + 60 * 1 + 100 * 100],
  ['written for five minutes', { cacheWrite: 60 }, 40 * 10 + 60 * 12 + 100 * 100],
  ['written for an hour', { cacheWrite: 60, cacheWrite1h: 60 }, 40 * 10 + 60 * 20 + 100 * 100],
  ['written for both', { cacheWrite: 60, cacheWrite1h: 20 }, 40 * 10 + 40 * 12 + 20 * 20 + 100 * 100],
  ['heard', { audioInput: 60 }, 40 * 10 + 60 * 30 + 100 * 100],
  ['seen', { imageInput: 60 }, 40 * 10 + 60 * 15 + 100 * 100],
  ['thought', { reasoning: 60 }, 100 * 10 + 40 * 100 + 60 * 70],
  ['spoken', { audioOutput: 60 }, 100 * 10 + 40 * 100 + 60 * 200],
  ['drawn', { imageOutput: 60 }, 100 * 10 + 40 * 100 + 60 * 400],
  ['cached and heard, more than there are', { cachedInput: 60, audioInput: 60 }, 60 * 30 + 40 * 1 + 100 * 100],
])('tokens that are %s have their own rate', (_kind, some, nano) => {
  // Rates in nano-dollars per token.
  const each = {
    inputPerM: 0.01,
    cachedInputPerM: 0.001,
    cacheWritePerM: 0.012,
    cacheWrite1hPerM: 0.02,
    audioInputPerM: 0.03,
    imageInputPerM: 0.015,
    outputPerM: 0.1,
    reasoningPerM: 0.07,
    audioOutputPerM: 0.2,
    imageOutputPerM: 0.4,
  }
  expect(charge({ ...usage(100, 100), ...some }, price(dollars(each)))).toBe(nano)
})

test('a context tier begins one token above its bound and holds for the whole request', () => {
  const tiered = price({
    ...dollars({ inputPerM: 1, outputPerM: 2 }),
    tiers: [{ aboveInputTokens: 1000, ...dollars({ inputPerM: 10, outputPerM: 20 }) }],
  })
  expect(charge(usage(1000, 5), tiered)).toBe(1000 * 1000 + 5 * 2000)
  expect(charge(usage(1001, 5), tiered)).toBe(1001 * 10_000 + 5 * 20_000)
})

test.each([
  [undefined, true],
  ['flex', true],
  ['batch', true],
  ['priority', true],
  ['scale', false],
  ['constructor', false],
  ['__proto__', false],
])('whether it is known what the service tier %s costs: %s', (tier, isKnown) => {
  const rates = dollars({ inputPerM: 1, outputPerM: 1 })
  const known = price({ ...rates, serviceTiers: { priority: rates } })
  expect(isTierPriced(known, tier)).toBe(isKnown)
  const used = { ...usage(1, 1), ...(tier === undefined ? {} : { serviceTier: tier }) }
  expect(charge(used, known)).toBe(2000)
  const ledger = new UnlimitedLedger()
  const attempt = { callId: 'req_1', number: 1, target: target('m', { price: known }) }
  const hold = ledger.reserve(makeCall(), { taskId: undefined, taskType: 'default' }, attempt)
  expect(ledger.settle(hold, { kind: 'complete', usage: used }).cost).toBe(isKnown ? 2000 : undefined)
})

test('a service tier that has no rates pays the ordinary ones', () => {
  const flex = price({
    ...dollars({ inputPerM: 2, outputPerM: 2 }),
    serviceTiers: { flex: dollars({ inputPerM: 1, outputPerM: 1 }) },
  })
  expect(charge({ ...usage(10, 0), serviceTier: 'flex' }, flex)).toBe(10_000)
  expect(charge({ ...usage(10, 0), serviceTier: 'priority' }, flex)).toBe(20_000)
})

test('an amount beyond the safe integers is an error, never a rounding', () => {
  const most = price({ inputPerM: toNanoUsd(Number.MAX_SAFE_INTEGER), outputPerM: toNanoUsd(0) })
  expect(charge(usage(1_000_000, 0), most)).toBe(Number.MAX_SAFE_INTEGER)
  expect(() => charge(usage(1_000_001, 0), most)).toThrow(RangeError)
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
