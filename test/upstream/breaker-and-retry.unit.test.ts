import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Breaker } from '../../src/upstream/breaker.ts'
import { backoffMs, mayRetry, RetryBudget } from '../../src/upstream/retry.ts'

describe('a breaker', () => {
  const make = (): { breaker: Breaker; later: (ms: number) => void } => {
    let now = 1
    return { breaker: new Breaker({ failures: 3, openMs: 1000 }, () => now), later: (ms) => void (now += ms) }
  }
  const fail = (breaker: Breaker, times: number): void => {
    for (let i = 0; i < times; i++) {
      breaker.enter()
      breaker.failed()
    }
  }

  test('opens after so many failures in a row, and not before', () => {
    const { breaker } = make()
    fail(breaker, 2)
    expect(breaker.isAvailable).toBe(true)
    fail(breaker, 1)
    expect(breaker.isAvailable).toBe(false)
  })

  test('forgets failures after a success', () => {
    const { breaker } = make()
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    expect(breaker.isAvailable).toBe(true)
  })

  test('lets one request through after its time, and closes or opens by how that one ends', () => {
    const { breaker, later } = make()
    fail(breaker, 3)
    later(1000)
    expect(breaker.isAvailable).toBe(true)
    breaker.enter()
    expect(breaker.isAvailable).toBe(false)
    breaker.failed()
    expect(breaker.isAvailable).toBe(false)
    later(1000)
    breaker.enter()
    breaker.succeeded()
    expect(breaker.isAvailable).toBe(true)
  })

  test('is not closed for ever by a trial whose caller left', () => {
    const { breaker, later } = make()
    fail(breaker, 3)
    later(1000)
    breaker.enter()
    breaker.unknown()
    expect(breaker.isAvailable).toBe(true)
  })
})

test('retries stay at a tenth of the traffic, after a few that are free', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), (requests) => {
      const budget = new RetryBudget()
      let retries = 0
      for (let i = 0; i < requests; i++) {
        budget.request()
        while (budget.take()) retries += 1
      }
      expect(retries).toBeLessThanOrEqual(requests * 0.1 + 10)
    }),
  )
})

describe('a failed try', () => {
  const base = {
    code: 'upstream_error',
    contentSent: false,
    tries: 1,
    retries: 2,
    retryAfterMs: undefined,
    hasOther: false,
  } as const
  test.each([
    ['a broken upstream', base, true],
    ['the tries are used up', { ...base, tries: 3 }, false],
    ['content was shown', { ...base, contentSent: true }, false],
    ['a limit, and nobody else to ask', { ...base, code: 'upstream_rate_limited' }, false],
    ['a limit, and another replica', { ...base, code: 'upstream_rate_limited', hasOther: true }, true],
    ['a time to come back, and nobody else to ask', { ...base, code: 'upstream_overloaded', retryAfterMs: 9 }, false],
    ['a time to come back, and another replica', { ...base, retryAfterMs: 9, hasOther: true }, true],
    ['our key was refused', { ...base, code: 'upstream_auth' }, false],
    ['the request was refused', { ...base, code: 'upstream_refused_request' }, false],
    ['time ran out', { ...base, code: 'upstream_timeout' }, false],
  ] as const)('%s: repeated = %s', (_what, input, expected) => {
    expect(mayRetry(input)).toBe(expected)
  })
})

test('the wait before a retry is random up to a doubling bound of at most two seconds', () => {
  expect(backoffMs(1, () => 0.999)).toBeLessThan(50)
  expect(backoffMs(3, () => 0.999)).toBeLessThan(200)
  expect(backoffMs(20, () => 0.999)).toBeLessThan(2000)
  expect(backoffMs(20, () => 0)).toBe(0)
})
