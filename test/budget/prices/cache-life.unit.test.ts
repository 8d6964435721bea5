import { expect, test } from 'vitest'
import { cacheLifeOf } from '../../../src/budget/prices/cache-life.ts'
import { holdFor } from '../../../src/budget/hold/hold.ts'
import { scheduleOf } from '../../../src/budget/prices/price-book.ts'
import { priceAt } from '../../../src/budget/prices/price-schedule.ts'
import type { Price } from '../../../src/shared/price.ts'
import type { CacheMarker, ChatRequest, Message } from '../../../src/protocol/request.ts'
import { chatRequest } from '../../support/fake-steps.ts'

const ANTHROPIC = { kind: 'anthropic', model: 'claude-opus-4-5', contextTokens: undefined, extraBody: {} } as const

const marked = (cache: CacheMarker): readonly (readonly [string, Partial<ChatRequest>])[] => {
  const message = (given: Message): Partial<ChatRequest> => ({ messages: [{ role: 'user', content: 'a' }, given] })
  const call = { id: 'c', kind: 'function', name: 'f', arguments: '{}', cache } as const
  return [
    ['a system text', message({ role: 'system', content: [{ type: 'text', text: 'a', cache }] })],
    ['a picture', message({ role: 'user', content: [{ type: 'image', url: 'https://x.test/a.png', cache }] })],
    ['a tool result', message({ role: 'tool', toolCallId: 'c', content: 'a', cache })],
    [
      'a part of a tool result',
      message({ role: 'tool', toolCallId: 'c', content: [{ type: 'text', text: 'a', cache }] }),
    ],
    ['a tool call', message({ role: 'assistant', content: null, toolCalls: [call] })],
    ['a tool', { tools: [{ kind: 'function', name: 'f', cache }] }],
  ]
}

test.each(marked({ ttl: '5m' }))('a marker for five minutes at %s: no write for an hour is held', (_where, given) => {
  expect(cacheLifeOf(chatRequest(given), ANTHROPIC)).toBe('5m')
})

test.each(marked({ ttl: '1h' }))('a marker for an hour at %s: everything is held', (_where, given) => {
  expect(cacheLifeOf(chatRequest(given), ANTHROPIC)).toBe('any')
})

test('without a marker nothing is written, unless somebody else may set one', () => {
  expect(cacheLifeOf(chatRequest(), ANTHROPIC)).toBe('none')
  expect(cacheLifeOf(chatRequest(), { ...ANTHROPIC, extraBody: { cache_control: { ttl: '1h' } } })).toBe('any')
  expect(cacheLifeOf(chatRequest({ passed: { cache_control: { ttl: '1h' } } }), ANTHROPIC)).toBe('any')
  expect(cacheLifeOf(chatRequest(), { ...ANTHROPIC, kind: 'openai' })).toBe('any')
})

test.each([
  ['any', 10_000],
  ['5m', 6250],
  ['none', 5000],
] as const)('cache life %s holds a token of Opus at %i nano-dollars', (cacheLife, nano) => {
  const price = priceAt(scheduleOf('anthropic', 'claude-opus-4-5'), Date.parse('2026-08-01')) as Price
  const bound = { tokens: 1000, mediaTokens: 0, extraOutputTokens: 0, unbounded: [], isExact: true }
  const hold = holdFor({
    request: { n: 1, maxOutputTokens: 1 },
    price,
    bound,
    remaining: undefined,
    contextTokens: undefined,
    cacheLife,
  })
  expect(hold).toMatchObject({ amount: 1000 * nano + 25_000 })
})
