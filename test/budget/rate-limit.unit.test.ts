import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimit } from '../../src/budget/rate-limit.ts'

function admitted(limit: RateLimit, tokens = 0): boolean {
  try {
    limit.admit(tokens)
    return true
  } catch {
    return false
  }
}

test('a minute admits exactly the requests of the limit at once, and the next one is told when to come back', () => {
  let now = 1
  const limit = new RateLimit(60, undefined, () => now)
  expect(Array.from({ length: 61 }, () => admitted(limit))).toEqual([...Array.from({ length: 60 }, () => true), false])
  expect(() => limit.admit(0)).toThrow(expect.objectContaining({ code: 'rate_limit_exceeded', retryAfterMs: 1000 }))
  now += 1000
  expect(admitted(limit)).toBe(true)
})

test('over any stretch of time no more than the limit per minute plus one full bucket gets through', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
      (perMinute, gaps) => {
        let now = 1
        const limit = new RateLimit(perMinute, undefined, () => now)
        let passed = 0
        for (const gap of gaps) {
          now += gap
          if (admitted(limit)) passed += 1
        }
        expect(passed).toBeLessThanOrEqual(Math.floor(perMinute + ((now - 1) * perMinute) / 60_000 + 1e-6))
      },
    ),
  )
})

test('tokens that were expected and not used are given back', () => {
  const limit = new RateLimit(undefined, 1000, () => 1)
  limit.admit(900)
  expect(admitted(limit, 500)).toBe(false)
  limit.settle(900, 100)
  expect(admitted(limit, 500)).toBe(true)
})

test('a request larger than the whole limit is admitted from a full bucket instead of never', () => {
  const limit = new RateLimit(undefined, 100, () => 1)
  expect(admitted(limit, 5000)).toBe(true)
  expect(admitted(limit, 1)).toBe(false)
})

test('the headers say limit, rest and reset in the form of the OpenAI API', () => {
  const limit = new RateLimit(60, 60_000, () => 1)
  limit.admit(30_000)
  expect(limit.headers()).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '60000',
    'x-ratelimit-remaining-tokens': '30000',
    'x-ratelimit-reset-tokens': '30s',
  })
})
