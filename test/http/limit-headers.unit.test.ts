import { afterEach, expect, test, vi } from 'vitest'
import type { KeyLimiter, LimitStanding } from '../../src/gateway/steps.ts'
import { limitHeaders } from '../../src/http/limit-headers.ts'

afterEach(() => vi.useRealTimers())

function limiter(...all: readonly LimitStanding[]): KeyLimiter {
  return { limits: {} as KeyLimiter['limits'], admit: () => {}, settle: () => {}, standing: () => all }
}
const BOTH = limiter(
  { of: 'requests', limit: 60, remaining: 59, resetMs: 60_999 },
  { of: 'tokens', limit: 60_000, remaining: 30_000, resetMs: 1450.5 },
)
const OPENAI = {
  'x-ratelimit-limit-requests': '60',
  'x-ratelimit-remaining-requests': '59',
  'x-ratelimit-reset-requests': '1m1s',
  'x-ratelimit-limit-tokens': '60000',
  'x-ratelimit-remaining-tokens': '30000',
  'x-ratelimit-reset-tokens': '1.5s',
}

test("limit, rest and reset in the form of OpenAI's API, in which a reset is a duration", () => {
  expect(limitHeaders(BOTH, 'openai-chat')).toEqual(OPENAI)
  const nearly = limiter({ of: 'tokens', limit: 5, remaining: 5, resetMs: 0 })
  expect(limitHeaders(nearly, 'openai-chat')).toMatchObject({ 'x-ratelimit-reset-tokens': '0ms' })
})

test("besides in the form of Anthropic's for its clients, in which a reset is a moment, never too early", () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-31T23:59:00.200Z') })
  expect(limitHeaders(BOTH, 'anthropic-messages')).toEqual({
    ...OPENAI,
    'anthropic-ratelimit-requests-limit': '60',
    'anthropic-ratelimit-requests-remaining': '59',
    'anthropic-ratelimit-requests-reset': '2026-02-01T00:00:02Z',
    'anthropic-ratelimit-tokens-limit': '60000',
    'anthropic-ratelimit-tokens-remaining': '30000',
    'anthropic-ratelimit-tokens-reset': '2026-01-31T23:59:02Z',
  })
})

test('a key without limits has no such header', () => {
  expect(limitHeaders(undefined, 'anthropic-messages')).toBeUndefined()
})
