import { expect, test } from 'vitest'
import { makePrice } from '../../../src/budget/prices/make-price.ts'
import { scheduleOf } from '../../../src/budget/prices/price-book.ts'
import { always, priceAt, type PriceSchedule } from '../../../src/budget/prices/price-schedule.ts'
import { UnlimitedLedger } from '../../support/unlimited-ledger.ts'
import type { Target } from '../../../src/gateway/steps.ts'
import { usdToNano } from '../../../src/shared/money.ts'
import { makeCall, target, usage } from '../../support/fake-steps.ts'

const dollar = (inputPerM: number): ReturnType<typeof makePrice> =>
  makePrice({ inputPerM: usdToNano(inputPerM), outputPerM: usdToNano(1) }, 'test')
const schedule: PriceSchedule = [
  ...always(dollar(1)),
  { fromMs: 1000, price: dollar(2) },
  { fromMs: 2000, price: dollar(3) },
]

test.each([
  [0, 1],
  [999, 1],
  [1000, 2],
  [1999, 2],
  [2000, 3],
  [9e15, 3],
])('at %i ms a million tokens cost $%i', (ms, usd) => {
  expect(priceAt(schedule, ms)?.inputPerM).toBe(usdToNano(usd))
})

test('a model that is in no book has no price at any time', () => {
  expect(priceAt([], 1)).toBeUndefined()
})

test('a service that runs over a change charges the new price from then on, and what it reserved before at the old one', () => {
  let now = 999
  const changing: Target = {
    ...target('m'),
    get price() {
      return priceAt(schedule, now)
    },
  }
  const ledger = new UnlimitedLedger()
  const reserve = (): ReturnType<UnlimitedLedger['reserve']> =>
    ledger.reserve(
      makeCall(),
      { taskId: undefined, taskType: 'default' },
      { callId: 'req_1', number: 1, target: changing },
    )
  const before = reserve()
  now = 1000
  expect(ledger.settle(before, { kind: 'complete', usage: usage(1000, 0) }).cost).toBe(1_000_000)
  expect(ledger.settle(reserve(), { kind: 'complete', usage: usage(1000, 0) }).cost).toBe(2_000_000)
})

test('the book knows what is to come: a price of next year is in force from midnight UTC of its day', () => {
  const at = (time: string): number | undefined =>
    priceAt(scheduleOf('google', 'gemini-3.6-flash'), Date.parse(time))?.inputPerM
  expect(at('2026-12-31T23:59:59.999Z')).toBe(usdToNano(0.75))
  expect(at('2027-01-01T00:00:00Z')).not.toBe(usdToNano(0.75))
})

test('the revision is the same for the same figures in whatever order, and another for others', () => {
  const a = makePrice({ inputPerM: usdToNano(1), outputPerM: usdToNano(2) }, 'here')
  const b = makePrice({ outputPerM: usdToNano(2), inputPerM: usdToNano(1) }, 'there')
  const c = makePrice({ inputPerM: usdToNano(2), outputPerM: usdToNano(1) }, 'here')
  expect(a.revision).toMatch(/^[0-9a-f]{16}$/)
  expect(b.revision).toBe(a.revision)
  expect(c.revision).not.toBe(a.revision)
})
