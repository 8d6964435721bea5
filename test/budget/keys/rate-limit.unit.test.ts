import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyLimiters } from '../../../src/budget/keys/key-limiters.ts'
import { RateLimit, type RateLimits } from '../../../src/budget/keys/rate-limit.ts'

const NONE: RateLimits = { requestsPerMinute: undefined, tokensPerMinute: undefined, concurrency: undefined }

function admitted(limit: Pick<RateLimit, 'admit'>, tokens = 0): boolean {
  try {
    limit.admit(tokens)
    return true
  } catch {
    return false
  }
}

/** The most that lies in any window of 60 s that begins with one of these. */
function fullestMinute(taken: readonly { readonly at: number; readonly amount: number }[]): number {
  const sums = taken.map(({ at }) =>
    taken.filter((each) => each.at >= at && each.at < at + 60_000).reduce((sum, { amount }) => sum + amount, 0),
  )
  return Math.max(0, ...sums)
}

test('a minute admits exactly the requests of the limit, and the next one is told when to come back', () => {
  let now = 1
  const limit = new RateLimit({ ...NONE, requestsPerMinute: 60 }, () => now)
  expect(Array.from({ length: 61 }, () => admitted(limit))).toEqual([...Array.from({ length: 60 }, () => true), false])
  now = 30_400
  expect(() => limit.admit(0)).toThrow(expect.objectContaining({ code: 'rate_limit_exceeded', retryAfterMs: 30_600 }))
  now += 30_599
  expect(admitted(limit)).toBe(false)
  now += 1
  expect(admitted(limit)).toBe(true)
})

const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })), {
  maxLength: 200,
})

test('no 60 seconds, wherever they begin, ever admit more requests than the limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2000 }), gaps, (perMinute, start, gaps) => {
      let now = start
      const limit = new RateLimit({ ...NONE, requestsPerMinute: perMinute }, () => now)
      const taken: { at: number; amount: number }[] = []
      for (const gap of gaps) {
        now += gap
        if (admitted(limit)) taken.push({ at: now, amount: 1 })
      }
      expect(fullestMinute(taken)).toBeLessThanOrEqual(perMinute)
    }),
  )
})

test('who waits as long as the refusal says is admitted, and one second is all that a ring of seconds can cost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), gaps, (perMinute, gaps) => {
      let now = 1
      const limit = new RateLimit({ ...NONE, requestsPerMinute: perMinute }, () => now)
      const at: number[] = []
      for (const gap of gaps) {
        now += gap
        try {
          limit.admit(0)
        } catch (error) {
          const { retryAfterMs } = error as { retryAfterMs: number }
          // With an exact log of every request it would be free when the oldest that counts is 60 s old.
          expect(now + retryAfterMs).toBeLessThanOrEqual((at.at(-perMinute) ?? 0) + 61_000)
          now += retryAfterMs
          limit.admit(0)
        }
        at.push(now)
      }
    }),
  )
})

test('no 60 seconds hold more tokens than the limit when calls end in any order and with any use below what was expected', () => {
  const call = fc.record({
    gap: fc.integer({ min: 0, max: 5000 }),
    tokens: fc.integer({ min: 1, max: 100 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    endsAfter: fc.integer({ min: 0, max: 90_000 }),
    waits: fc.integer({ min: 0, max: 3000 }),
  })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 150 }), (calls) => {
      let now = 1
      const limit = new RateLimit({ ...NONE, tokensPerMinute: 100 }, () => now)
      const running: { expected: number; used: number; startedMs: number; endsAt: number }[] = []
      const taken: { at: number; amount: number }[] = []
      for (const { gap, tokens, share, endsAfter, waits } of calls) {
        const startedMs = now + gap
        const next = startedMs + waits
        for (const ended of running.filter(({ endsAt }) => endsAt <= next).toSorted((a, b) => a.endsAt - b.endsAt)) {
          now = Math.max(now, ended.endsAt)
          limit.settle(ended.expected, ended.used, ended.startedMs)
          running.splice(running.indexOf(ended), 1)
        }
        now = next
        if (!admitted(limit, tokens)) continue
        const used = Math.floor(tokens * share)
        running.push({ expected: tokens, used, startedMs, endsAt: now + endsAfter })
        // What a call gave back was never used, so it does not count, from the start on.
        taken.push({ at: now, amount: used })
      }
      expect(fullestMinute(taken)).toBeLessThanOrEqual(100)
    }),
  )
})

test('tokens that were expected and not used are given back, those used beyond it are taken', () => {
  const limit = new RateLimit({ ...NONE, tokensPerMinute: 1000 }, () => 1)
  limit.admit(900)
  expect(admitted(limit, 500)).toBe(false)
  limit.settle(900, 100, 1)
  expect(admitted(limit, 500)).toBe(true)
  limit.settle(500, 900, 1)
  expect(admitted(limit, 1)).toBe(false)
})

test('what was taken more than a minute ago is not given back a second time', () => {
  let now = 1
  const limit = new RateLimit({ ...NONE, tokensPerMinute: 100 }, () => now)
  limit.admit(100)
  now = 61_001
  limit.admit(100)
  limit.settle(100, 0, 1)
  expect(admitted(limit, 1)).toBe(false)
})

test('a request larger than the whole limit is admitted when nothing else counts instead of never', () => {
  const limit = new RateLimit({ ...NONE, tokensPerMinute: 100 }, () => 1)
  expect(admitted(limit, 5000)).toBe(true)
  expect(admitted(limit, 1)).toBe(false)
})

test('never more calls at the same time than the limit, and a refused one takes no place', () => {
  const limit = new RateLimit({ ...NONE, concurrency: 2 }, () => 1)
  expect([admitted(limit), admitted(limit), admitted(limit), admitted(limit)]).toEqual([true, true, false, false])
  expect(() => limit.admit(0)).toThrow(expect.objectContaining({ code: 'rate_limit_exceeded', retryAfterMs: 1000 }))
  limit.settle(0, 0, 1)
  expect([admitted(limit), admitted(limit)]).toEqual([true, false])
})

test('a refusal by one limit uses up none of the others', () => {
  const limit = new RateLimit({ requestsPerMinute: 2, tokensPerMinute: 10, concurrency: 9 }, () => 1)
  expect([admitted(limit, 8), admitted(limit, 8), admitted(limit, 2), admitted(limit, 0)]).toEqual([
    true,
    false,
    true,
    false,
  ])
})

test('what is left of each limit of a minute, and until when', () => {
  const limit = new RateLimit({ requestsPerMinute: 60, tokensPerMinute: 60_000, concurrency: undefined }, () => 1)
  limit.admit(30_000)
  expect(limit.standing()).toEqual([
    { of: 'requests', limit: 60, remaining: 59, resetMs: 60_999 },
    { of: 'tokens', limit: 60_000, remaining: 30_000, resetMs: 60_999 },
  ])
  expect(new RateLimit({ ...NONE, concurrency: 2 }, () => 1).standing()).toEqual([])
})

test('a reload and changed limits hand out no fresh minute; a key that was gone begins anew', () => {
  const limiters = new KeyLimiters(() => 1)
  expect(admitted(limiters.of('ci', { ...NONE, requestsPerMinute: 1 })!)).toBe(true)
  expect(admitted(limiters.of('ci', { ...NONE, requestsPerMinute: 1 })!)).toBe(false)
  const wider = limiters.of('ci', { ...NONE, requestsPerMinute: 2 })!
  expect([admitted(wider), admitted(wider)]).toEqual([true, false])
  expect(limiters.of('free', NONE)).toBeUndefined()
  limiters.keepOnly(new Set())
  expect(admitted(limiters.of('ci', { ...NONE, requestsPerMinute: 1 })!)).toBe(true)
})
