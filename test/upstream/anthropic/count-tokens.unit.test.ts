import { expect, onTestFinished, test } from 'vitest'
import { AnthropicCounter } from '../../../src/upstream/anthropic/count-tokens.ts'
import { chatRequest, target } from '../../support/fake-steps.ts'
import { json, startFakeUpstream, type Answer, type FakeUpstream } from '../../support/fake-upstream.ts'

const never = new AbortController().signal
const claude = { ...target('c', { kind: 'anthropic', model: 'claude-sonnet-5' }), upstream: 'claude' }
const timeouts = { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: 1000 }

async function start(
  answer: Answer,
  clock = { now: 0 },
): Promise<{ counter: AnthropicCounter; upstream: FakeUpstream }> {
  const upstream = await startFakeUpstream(answer)
  const options = {
    name: 'claude',
    kind: 'anthropic',
    replicas: [`${upstream.url}/v1`],
    apiKey: { reveal: () => 'sk-ant-fake' },
    headers: {},
    timeouts,
    retries: 0,
    breaker: 'off',
    ask: 'auto',
    passFields: [],
  } as const
  const counter = new AnthropicCounter([options], { deadlineMs: 500, now: () => clock.now })
  onTestFinished(() => counter.close())
  return { counter, upstream }
}

test('the count of the prompt that would be sent, with a margin since it is an estimate', async () => {
  const { counter, upstream } = await start(json(200, { input_tokens: 1000 }))
  const request = chatRequest({ tools: [{ kind: 'function', name: 'a' }], sampling: { stop: ['x'] } })
  expect(await counter.refine(request, claude, never)).toBe(1050 + 64)
  const [seen] = upstream.seen
  expect(seen?.path).toBe('/v1/messages/count_tokens')
  expect(seen?.headers).toMatchObject({ 'x-api-key': 'sk-ant-fake', 'anthropic-version': '2023-06-01' })
  expect(JSON.parse(seen?.body ?? '')).toEqual({
    model: 'claude-sonnet-5',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'ping' }] }],
    tools: [{ name: 'a', input_schema: { type: 'object' } }],
  })
})

test('a refusal, a wrong answer and a late one leave the cheap bound; another kind is not asked', async () => {
  for (const answer of [json(400, {}), json(200, {}), json(200, { input_tokens: -1 }), (() => {}) as Answer]) {
    const { counter } = await start(answer)
    expect(await counter.refine(chatRequest(), claude, never)).toBeUndefined()
  }
  const { counter, upstream } = await start(json(200, { input_tokens: 5 }))
  expect(await counter.refine(chatRequest(), { ...claude, kind: 'openai' }, never)).toBeUndefined()
  expect(await counter.refine(chatRequest(), { ...claude, extraBody: { x: 1 } }, never)).toBeUndefined()
  expect(await counter.refine(chatRequest({ n: 2 }), claude, never)).toBeUndefined()
  expect(upstream.seen).toHaveLength(0)
})

test('after its rate limit it rests ten seconds', async () => {
  const clock = { now: 0 }
  const { counter, upstream } = await start(json(429, {}), clock)
  await counter.refine(chatRequest(), claude, never)
  upstream.answer = json(200, { input_tokens: 100 })
  clock.now = 9999
  expect(await counter.refine(chatRequest(), claude, never)).toBeUndefined()
  expect(upstream.seen).toHaveLength(1)
  clock.now = 10_000
  expect(await counter.refine(chatRequest(), claude, never)).toBe(169)
})
