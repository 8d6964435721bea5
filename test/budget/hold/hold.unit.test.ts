import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { charge } from '../../../src/budget/prices/charge.ts'
import { holdFor, withinHold, type HoldInput, type SizedHold } from '../../../src/budget/hold/hold.ts'
import type { InputBound } from '../../../src/budget/hold/input-bound.ts'
import { makePrice } from '../../../src/budget/prices/make-price.ts'
import { toNanoUsd, type NanoUsd } from '../../../src/shared/money.ts'
import { usage } from '../../support/fake-steps.ts'

const usd = (nano: number): NanoUsd => toNanoUsd(nano)
/** 1 nano-dollar per input and 10 per output token. */
const PRICE = makePrice({ inputPerM: usd(1_000_000), outputPerM: usd(10_000_000) }, 'test')
const FREE = makePrice({ inputPerM: usd(0), outputPerM: usd(0) }, 'test')

function bound(tokens: number, changes: Partial<InputBound> = {}): InputBound {
  return { tokens, mediaTokens: 0, extraOutputTokens: 0, unbounded: [], isExact: false, ...changes }
}

function input(changes: Partial<HoldInput> = {}): HoldInput {
  return {
    request: { n: 1 },
    price: PRICE,
    bound: bound(1000),
    remaining: undefined,
    contextTokens: undefined,
    ...changes,
  }
}

describe("with the caller's cap", () => {
  test('the hold is the bound at the dearest input price and the cap for each answer', () => {
    const price = { ...PRICE, cachedInputPerM: usd(500_000), cacheWritePerM: usd(1_250_000) }
    expect(holdFor(input({ request: { n: 3, maxOutputTokens: 100 }, price, remaining: usd(10_000) }))).toEqual({
      kind: 'hold',
      amount: 1250 + 3 * 100 * 10,
      outputCap: 100,
      inputTokens: 1000,
      outputTokens: 300,
      limitedBy: 'caller',
    })
  })

  test('a part of a nano-dollar is held as a whole one', () => {
    const price = makePrice({ inputPerM: usd(1), outputPerM: usd(1) }, 'test')
    expect(holdFor(input({ request: { n: 1, maxOutputTokens: 1 }, price })).kind).toBe('hold')
    expect(holdFor(input({ request: { n: 1, maxOutputTokens: 1 }, price }))).toMatchObject({ amount: 1 })
  })

  test('it fits to the last nano-dollar, and one less refuses it', () => {
    const request = { n: 1, maxOutputTokens: 100 }
    expect(holdFor(input({ request, remaining: usd(2000) }))).toMatchObject({ kind: 'hold', amount: 2000 })
    expect(holdFor(input({ request, remaining: usd(1999) }))).toEqual({
      kind: 'refused',
      code: 'request_exceeds_remaining',
      param: 'max_tokens',
      needed: 2000,
    })
  })

  test('where the prompt alone is too dear, no smaller cap is suggested', () => {
    expect(holdFor(input({ request: { n: 1, maxOutputTokens: 100 }, remaining: usd(999) }))).toMatchObject({
      kind: 'refused',
      param: undefined,
    })
  })

  test('an amount beyond the safe integers is refused, with and without a limit, never rounded', () => {
    const price = { ...PRICE, outputPerM: usd(Number.MAX_SAFE_INTEGER) }
    const request = { n: 128, maxOutputTokens: 1_000_000_000 }
    expect(holdFor(input({ request, price }))).toMatchObject({ kind: 'refused', needed: undefined })
    expect(holdFor(input({ request, price, remaining: usd(Number.MAX_SAFE_INTEGER) })).kind).toBe('refused')
  })
})

describe("a caller's cap that does not fit", () => {
  const request = { n: 2, maxOutputTokens: 500 }
  const lowers = (changes: Partial<HoldInput>) => holdFor(input({ request, lowersCap: true, ...changes }))

  test('is lowered to what is left, for every answer', () => {
    expect(lowers({ remaining: usd(5019) })).toEqual({
      kind: 'hold',
      amount: 1000 + 2 * 200 * 10,
      outputCap: 200,
      inputTokens: 1000,
      outputTokens: 400,
      limitedBy: 'lowered',
    })
    expect(lowers({ remaining: usd(11_000) })).toMatchObject({ outputCap: 500, limitedBy: 'caller' })
    expect(lowers({ remaining: usd(10_999) })).toMatchObject({ outputCap: 499, limitedBy: 'lowered' })
  })

  test('is refused below the useful floor, and says what it would have needed in full', () => {
    expect(lowers({ remaining: usd(1000 + 2 * 64 * 10) })).toMatchObject({ outputCap: 64 })
    expect(lowers({ remaining: usd(1000 + 2 * 64 * 10 - 1) })).toMatchObject({ param: 'max_tokens', needed: 11_000 })
    expect(lowers({ remaining: usd(999) })).toMatchObject({ kind: 'refused', param: undefined })
    // Less than the floor was asked for: that is held in full, or not at all.
    const small = { n: 1, maxOutputTokens: 10 }
    expect(lowers({ request: small, remaining: usd(1100) })).toMatchObject({ outputCap: 10 })
    expect(lowers({ request: small, remaining: usd(1099) }).kind).toBe('refused')
  })

  test('leaves room for an answer beside the budget of its thinking', () => {
    const thinking = { type: 'enabled', budgetTokens: 100 } as const
    const given = { request: { ...request, thinking } }
    expect(lowers({ ...given, remaining: usd(1000 + 2 * 164 * 10) })).toMatchObject({ outputCap: 164 })
    expect(lowers({ ...given, remaining: usd(1000 + 2 * 164 * 10 - 1) }).kind).toBe('refused')
  })

  test('pays for what is billed beyond it, too', () => {
    const given = { bound: bound(1000, { extraOutputTokens: 50 }), remaining: usd(1000 + 2 * 150 * 10) }
    expect(lowers(given)).toMatchObject({ outputCap: 100, outputTokens: 300, amount: 4000 })
  })

  test('is no way around fields whose cost nothing bounds', () => {
    expect(lowers({ bound: bound(1, { unbounded: ['messages'] }), remaining: usd(5000) }).kind).toBe('refused')
  })
})

describe('without a cap', () => {
  test('the largest that fits is injected, for every answer', () => {
    expect(holdFor(input({ request: { n: 2 }, remaining: usd(5019) }))).toMatchObject({
      amount: 1000 + 2 * 200 * 10,
      outputCap: 200,
      limitedBy: 'remaining',
    })
  })

  test('below the useful floor it is refused, and the need is named', () => {
    expect(holdFor(input({ remaining: usd(1000 + 639) }))).toMatchObject({ kind: 'refused', needed: 1640 })
    expect(holdFor(input({ remaining: usd(1000 + 640) }))).toMatchObject({ kind: 'hold', outputCap: 64 })
    expect(holdFor(input({ remaining: usd(1000 + 100), minOutputTokens: 10 }))).toMatchObject({ outputCap: 10 })
    expect(holdFor(input({ remaining: usd(999) })).kind).toBe('refused')
  })

  test("neither the model's own limit nor a sane default is exceeded: providers refuse larger caps", () => {
    const remaining = usd(1_000_000_000)
    expect(holdFor(input({ remaining, outputLimit: 4096 }))).toMatchObject({ outputCap: 4096, limitedBy: 'model' })
    expect(holdFor(input({ remaining }))).toMatchObject({ outputCap: 16_384, limitedBy: 'model' })
  })

  test('the context leaves room for the prompt', () => {
    const remaining = usd(1_000_000_000)
    const contextTokens = 8192
    expect(holdFor(input({ remaining, contextTokens, bound: bound(4000) }))).toMatchObject({
      outputCap: 4192,
      limitedBy: 'context',
    })
    expect(holdFor(input({ remaining, contextTokens, bound: bound(6000, { isExact: true }) }))).toMatchObject({
      outputCap: 2192,
    })
  })

  test('a bound that no tokeniser has confirmed counts by half where it would leave little room', () => {
    const remaining = usd(1_000_000_000)
    expect(holdFor(input({ remaining, contextTokens: 8192, bound: bound(6000) }))).toMatchObject({ outputCap: 5192 })
    expect(holdFor(input({ remaining, contextTokens: 8192, bound: bound(40_000) }))).toMatchObject({ outputCap: 64 })
  })

  test('without a limit nothing is injected; the hold counts the output up to the limit or the context', () => {
    expect(holdFor(input({ contextTokens: 8192 }))).toMatchObject({
      amount: 1000 + 81_920,
      outputCap: undefined,
      limitedBy: 'nothing',
    })
    expect(holdFor(input({ contextTokens: 200_000, outputLimit: 4096 }))).toMatchObject({ outputTokens: 4096 })
    expect(holdFor(input())).toMatchObject({ outputTokens: 131_072 })
  })
})

test('free models hold nothing and get no cap', () => {
  expect(holdFor(input({ price: FREE, remaining: usd(0) }))).toMatchObject({ amount: 0, outputCap: undefined })
  expect(holdFor(input({ price: FREE, remaining: usd(0), bound: bound(1, { unbounded: ['messages'] }) })).kind).toBe(
    'hold',
  )
})

test('free output needs no cap, paid input must still fit', () => {
  const price = { ...PRICE, outputPerM: usd(0) }
  expect(holdFor(input({ price, remaining: usd(1000) }))).toMatchObject({ amount: 1000, outputCap: undefined })
  expect(holdFor(input({ price, remaining: usd(999) })).kind).toBe('refused')
})

test('what nothing bounds is refused where there is a budget, and served where there is none', () => {
  const unbounded = bound(1000, { unbounded: ['web_search_options'] })
  expect(holdFor(input({ bound: unbounded, remaining: usd(1_000_000) }))).toMatchObject({
    kind: 'refused',
    param: 'web_search_options',
  })
  expect(holdFor(input({ bound: unbounded })).kind).toBe('hold')
})

const tokens = fc.integer({ min: 0, max: 2_000_000 })
const perM = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200_000_000_000 }))
const holds = fc
  .record({
    n: fc.integer({ min: 1, max: 8 }),
    cap: fc.option(fc.integer({ min: 1, max: 300_000 }), { nil: undefined }),
    prices: fc.tuple(perM, perM, perM, perM),
    bound: tokens,
    extra: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 })),
    remaining: fc.option(fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.maxSafeNat()), { nil: undefined }),
    context: fc.option(fc.integer({ min: 256, max: 1_000_000 }), { nil: undefined }),
    limit: fc.option(fc.integer({ min: 16, max: 128_000 }), { nil: undefined }),
    isExact: fc.boolean(),
    lowersCap: fc.boolean(),
  })
  .map(({ n, cap, prices: [inputPerM, cached, written, outputPerM], extra, ...rest }) =>
    input({
      request: cap === undefined ? { n } : { n, maxOutputTokens: cap },
      price: makePrice(
        {
          inputPerM: usd(inputPerM),
          outputPerM: usd(outputPerM),
          ...(cached % 2 === 0 ? { cachedInputPerM: usd(cached) } : {}),
          ...(written % 2 === 0 ? { cacheWritePerM: usd(written) } : {}),
        },
        'test',
      ),
      bound: bound(rest.bound, { extraOutputTokens: extra, isExact: rest.isExact }),
      remaining: rest.remaining === undefined ? undefined : usd(rest.remaining),
      contextTokens: rest.context,
      outputLimit: rest.limit,
      lowersCap: rest.lowersCap,
    }),
  )

test('no usage within the bound and the cap costs more than the hold, and no hold is more than what is left', () => {
  fc.assert(
    fc.property(
      holds,
      fc.array(fc.nat({ max: 100 }), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
      (given, shares, estimated) => {
        const hold = holdFor(given)
        if (hold.kind === 'refused') return
        if (given.remaining !== undefined) expect(hold.amount).toBeLessThanOrEqual(given.remaining)
        const [a, b, c, d] = shares as [number, number, number, number]
        const share = (whole: number, percent: number): number => Math.floor((whole * percent) / 100)
        const spent = {
          ...usage(share(hold.inputTokens, a), share(hold.outputTokens, b)),
          cachedInput: share(hold.inputTokens, c),
          cacheWrite: share(hold.inputTokens, d),
          estimated,
        }
        expect(charge(withinHold(spent, hold), given.price)).toBeLessThanOrEqual(hold.amount)
      },
    ),
    { numRuns: 5000 },
  )
})

test('no estimate of our own costs more than the hold, whatever was sent and received', () => {
  fc.assert(
    fc.property(holds, fc.nat(), fc.nat(), (given, sent, received) => {
      const hold = holdFor(given)
      if (hold.kind === 'refused') return
      expect(charge(withinHold({ ...usage(sent, received), estimated: true }, hold), given.price)).toBeLessThanOrEqual(
        hold.amount,
      )
    }),
    { numRuns: 2000 },
  )
})

test('an injected or lowered cap is the largest: one token more for each answer would not fit', () => {
  fc.assert(
    fc.property(holds, (given) => {
      const hold = holdFor(given)
      if (hold.kind === 'refused' || (hold.limitedBy !== 'remaining' && hold.limitedBy !== 'lowered')) return
      const cap = (hold.outputCap as number) + 1
      const more = holdFor({ ...given, request: { n: given.request.n, maxOutputTokens: cap }, lowersCap: false })
      expect(more.kind).toBe('refused')
    }),
    { numRuns: 2000 },
  )
})

test('what an upstream reported is never cut, even above the hold: it is owed', () => {
  const hold = holdFor(input({ request: { n: 1, maxOutputTokens: 10 } })) as SizedHold
  expect(withinHold(usage(5000, 20), hold)).toEqual(usage(5000, 20))
})
