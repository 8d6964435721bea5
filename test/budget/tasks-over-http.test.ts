import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { json, say, startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const ADMIN = 'sk-admin-test'
/** 5 tokens in and 7 out of the scripted upstream: 5 x $1 + 7 x $10 per million. */
const COST = 75_000

let upstream: FakeUpstream
let gateway: GatewayProcess & { stop(): Promise<void> }

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    ownedByTest: false,
    env: { TEST_ADMIN_KEY: ADMIN },
    config: `
server: { adminKey: env:TEST_ADMIN_KEY }
upstreams:
  up: { kind: openai, baseUrl: "${upstream.url}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
  dear: { upstream: up, model: big, price: { inputPerM: 100, outputPerM: 1000 } }
  unpriced: { upstream: up, model: odd, tier: local }
routes:
  auto: { small: [ paid ], big: [ dear ], targetBigShare: 1 }
taskTypes:
  tools: { maxToolCalls: 2 }
  stops: { maxModelCalls: 1, onLimit: stop }
  wraps: { maxModelCalls: 1, onLimit: wrap_up }
  parks: { maxUsd: 0.00008, parkSeconds: 20 }
  narrow: { concurrency: 2 }
  short: { maxSeconds: 0 }
  few: { maxTokens: 2000 }
  strict: { maxTokens: 2000, capAtLimit: refuse }
  writes: { maxWriteCalls: 1, writeTools: [ 'refund*', book ] }
budget: { holdWaitMs: 200 }
keys:
  - { name: ci, key: sk-test, tenant: acme, canTopUp: true }
  - { name: plain, key: sk-plain, tenant: acme }
  - { name: other, key: sk-other, tenant: globex }
  - { name: capped, key: sk-capped, tenant: acme, maxUsdPerDay: 0.0018 }
telemetry: { log: off, events: null }
`,
  })
})
beforeEach(() => {
  upstream.seen.length = 0
  upstream.answer = say('Hello')
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
  readonly code: string | undefined
}

async function send(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Sent> {
  const reply = await fetch(gateway.url + path, {
    method,
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  const parsed = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown>
  return {
    status: reply.status,
    headers: reply.headers,
    body: parsed,
    code: (parsed['error'] as { code?: string } | undefined)?.code,
  }
}

const PING = { model: 'paid', max_tokens: 7, messages: [{ role: 'user', content: 'ping' }] }
const chat = (headers: Readonly<Record<string, string>>, body: object = {}): Promise<Sent> =>
  send('POST', '/v1/chat/completions', { ...PING, ...body }, headers)
const topUp = (id: string, body: object, key: string, headers: Readonly<Record<string, string>> = {}): Promise<Sent> =>
  send('POST', `/v1/tasks/${id}/top-up`, body, { 'idempotency-key': key, ...headers })

test('an agent is stopped before the cent that would break its budget, is told not to retry, and goes on after a top-up', async () => {
  const task = { 'x-task-id': 'fix-1', 'x-task-budget-usd': '0.002' }
  let served = 0
  let last = await chat(task)
  while (last.status === 200) {
    served += 1
    last = await chat(task)
  }
  expect(served).toBeGreaterThan(2)
  expect(last).toMatchObject({ status: 402, code: 'request_exceeds_remaining' })
  expect(last.body['error']).toMatchObject({ type: 'budget_exceeded' })
  expect(last.headers.get('x-should-retry')).toBe('false')
  expect(last.headers.get('x-task-cost-usd')).toBe(String((served * COST) / 1e9))
  expect(upstream.seen).toHaveLength(served)
  expect((await send('GET', '/v1/tasks/fix-1')).body).toMatchObject({
    state: 'paused_budget',
    spent: { nano_usd: served * COST, model_calls: served },
  })

  const raised = await topUp('fix-1', { add_usd: '0.001' }, 'k1')
  expect(raised.body).toMatchObject({ state: 'running', limits: { max_usd: '0.003', max_nano_usd: 3_000_000 } })
  expect((await topUp('fix-1', { add_usd: '0.001' }, 'k1')).body).toMatchObject({ limits: { max_usd: '0.003' } })
  expect(await topUp('fix-1', { add_usd: '0.005' }, 'k1')).toMatchObject({ status: 409, code: 'idempotency_conflict' })
  // The same header as before does not take the top-up back.
  expect((await chat(task)).status).toBe(200)
})

test('answers say what the task has cost: a whole one with its own cost, a stream as it stood before', async () => {
  const task = { 'x-task-id': 'fix-2', 'x-task-budget-usd': '1' }
  const whole = await chat(task)
  expect(whole.headers.get('x-task-id')).toBe('fix-2')
  expect(whole.headers.get('x-task-cost-usd')).toBe('0.000075')
  expect(whole.headers.get('x-task-remaining-usd')).toBe('0.999925')
  const streamed = await chat(task, { stream: true })
  expect(streamed.headers.get('x-task-cost-usd')).toBe('0.000075')
  expect(streamed.headers.get('x-cost-usd')).toBeNull()
  expect((await send('GET', '/v1/tasks/fix-2')).body).toMatchObject({ spent: { nano_usd: 2 * COST }, held_nano_usd: 0 })
})

test("another tenant's task does not exist: it can be neither seen nor spent nor cancelled", async () => {
  await chat({ 'x-task-id': 'mine', 'x-task-budget-usd': '1' })
  const other = { authorization: 'Bearer sk-other' }
  expect(await send('GET', '/v1/tasks/mine', undefined, other)).toMatchObject({ status: 404, code: 'task_not_found' })
  expect(await send('POST', '/v1/tasks/mine/cancel', {}, other)).toMatchObject({ status: 404 })
  expect((await chat({ ...other, 'x-task-id': 'mine' })).status).toBe(200)
  expect((await send('GET', '/v1/tasks/mine')).body).toMatchObject({ spent: { nano_usd: COST } })
  const listed = (await send('GET', '/v1/tasks', undefined, other)).body['data'] as { id: string }[]
  expect(listed.map((each) => each.id)).toEqual(['mine'])
})

test('only the admin, or a key that may, raises a budget', async () => {
  await chat({ 'x-task-id': 'poor' })
  expect(await topUp('poor', { add_usd: '1' }, 'k', { authorization: 'Bearer sk-plain' })).toMatchObject({
    status: 403,
    code: 'admin_only',
  })
  expect(await send('POST', '/v1/tasks/poor/top-up', { add_usd: '1' })).toMatchObject({
    status: 400,
    code: 'invalid_header',
  })
  expect(await topUp('poor', { max_usd: '1' }, 'k2')).toMatchObject({ status: 400, code: 'decimal_below_min_value' })
  const admin = { authorization: `Bearer ${ADMIN}` }
  const raised = await send(
    'POST',
    '/v1/tasks/poor/top-up?tenant=acme',
    { max_usd: '30' },
    { ...admin, 'idempotency-key': 'k3' },
  )
  expect(raised.body).toMatchObject({ limits: { max_usd: '30' } })
})

test('tool calls are counted from the transcript, each once, and the limit binds an agent that only changed its address', async () => {
  const task = { 'x-task-id': 'tools-1', 'x-task-type': 'tools' }
  const call = (id: string): object[] => [
    { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'look', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: id, content: 'ok' },
  ]
  const two = [...PING.messages, ...call('a'), ...call('b')]
  expect((await chat(task, { messages: two })).status).toBe(200)
  expect((await chat(task, { messages: two })).status).toBe(200)
  expect((await send('GET', '/v1/tasks/tools-1')).body).toMatchObject({ spent: { tool_calls: 2 } })
  const third = await chat(task, { messages: [...two, ...call('c')] })
  expect(third).toMatchObject({ status: 402, code: 'task_limit_reached' })
  expect(third.body['error']).toMatchObject({ param: 'max_tool_calls' })
})

test('a task that stops at its limit has ended for good', async () => {
  const task = { 'x-task-id': 'stops-1', 'x-task-type': 'stops' }
  expect((await chat(task)).status).toBe(200)
  expect(await chat(task)).toMatchObject({ status: 402, code: 'task_limit_reached' })
  const after = await chat(task)
  expect(after).toMatchObject({ status: 410, code: 'task_ended' })
  expect(after.headers.get('x-should-retry')).toBe('false')
})

test('a task that wraps up gets one more request, without its tools', async () => {
  const task = { 'x-task-id': 'wraps-1', 'x-task-type': 'wraps' }
  const tools = { tools: [{ type: 'function', function: { name: 'look' } }] }
  expect((await chat(task, tools)).status).toBe(200)
  expect((await chat(task, tools)).status).toBe(200)
  expect(upstream.seen.map((each) => 'tools' in JSON.parse(each.body))).toEqual([true, false])
  expect((await chat(task, tools)).status).toBe(410)
  expect((await send('GET', '/v1/tasks/wraps-1')).body).toMatchObject({ state: 'stopped', spent: { model_calls: 2 } })
})

test('a parked request waits for the top-up and is then answered', async () => {
  const task = { 'x-task-id': 'parks-1', 'x-task-type': 'parks' }
  const waiting = chat(task, { stream: true })
  await expect.poll(async () => (await send('GET', '/v1/tasks/parks-1')).body['state']).toBe('paused_budget')
  expect(upstream.seen).toHaveLength(0)
  await topUp('parks-1', { max_usd: '1' }, 'k')
  const reply = await waiting
  expect(reply.status).toBe(200)
  expect(reply.body['text']).toContain('Hello')
})

test('a paused task refuses until it is resumed, a cancelled one for good', async () => {
  const task = { 'x-task-id': 'pause-1' }
  await chat(task)
  expect((await send('POST', '/v1/tasks/pause-1/pause')).body).toMatchObject({ state: 'paused_budget' })
  const refused = await chat(task)
  expect(refused).toMatchObject({ status: 402, code: 'task_limit_reached' })
  expect((await send('POST', '/v1/tasks/pause-1/resume')).body).toMatchObject({ state: 'running' })
  expect((await chat(task)).status).toBe(200)
  expect((await send('POST', '/v1/tasks/pause-1/cancel')).body).toMatchObject({ state: 'cancelled' })
  expect((await send('POST', '/v1/tasks/pause-1/cancel')).status).toBe(200)
  expect(await chat(task)).toMatchObject({ status: 410 })
})

test.each([
  [{ outcome: 'success', check: { passed: true } }, 'completed'],
  [{ outcome: 'success' }, 'completed_unverified'],
  [{ outcome: 'failure' }, 'failed'],
  [{ outcome: 'success', check: { passed: false } }, 'failed'],
])('%o ends a task as %s', async (body, state) => {
  const id = `ends-${randomUUID()}`
  await chat({ 'x-task-id': id })
  expect((await send('POST', `/v1/tasks/${id}/complete`, body)).body).toMatchObject({ state })
  expect((await chat({ 'x-task-id': id })).status).toBe(410)
})

test('a task has no more requests under way than it may', async () => {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  upstream.answer = async (request, response) => {
    await gate
    await say('Hello')(request, response)
  }
  const task = { 'x-task-id': 'narrow-1', 'x-task-type': 'narrow' }
  const running = [chat(task), chat(task)]
  await expect.poll(() => upstream.seen.length).toBe(2)
  const third = await chat(task)
  expect(third).toMatchObject({ status: 429, code: 'task_concurrency' })
  expect(third.headers.get('retry-after')).toBe('1')
  release()
  expect((await Promise.all(running)).map((each) => each.status)).toEqual([200, 200])
})

test('money that other requests hold is waited for, and then refused as something that passes', async () => {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  upstream.answer = async (request, response) => {
    await gate
    await say('Hello')(request, response)
  }
  const task = { 'x-task-id': 'held-1', 'x-task-budget-usd': '0.002' }
  const first = chat(task)
  await expect.poll(() => upstream.seen.length).toBe(1)
  const refused = await chat(task)
  expect(refused).toMatchObject({ status: 429, code: 'task_budget_held' })
  expect(refused.headers.get('retry-after')).toBe('2')
  const waiting = chat(task)
  setTimeout(release, 50)
  expect((await Promise.all([first, waiting])).map((each) => each.status)).toEqual([200, 200])
  expect((await send('GET', '/v1/tasks/held-1')).body).toMatchObject({ state: 'running' })
})

test('a request without a cap gets the largest that fits, and is refused where none of use does', async () => {
  const task = { 'x-task-id': 'cap-1', 'x-task-budget-usd': '0.002' }
  expect((await chat(task, { max_tokens: undefined })).status).toBe(200)
  const { max_tokens: cap } = JSON.parse(upstream.seen[0]?.body ?? '{}') as { max_tokens: number }
  // At most 200 tokens fit $0.002 at $10 per million, less what the prompt may need.
  expect(cap).toBeGreaterThan(64)
  expect(cap).toBeLessThan(200)
  const poor = { 'x-task-id': 'cap-2', 'x-task-budget-usd': '0.0006' }
  expect(await chat(poor, { max_tokens: undefined })).toMatchObject({ status: 402, code: 'request_exceeds_remaining' })
  expect(upstream.seen).toHaveLength(1)
})

test('without any limit no cap is made up', async () => {
  expect((await chat({}, { max_tokens: undefined })).status).toBe(200)
  expect(JSON.parse(upstream.seen[0]?.body ?? '{}')).not.toHaveProperty('max_tokens')
})

test('a model without a price is refused for a task and served without one', async () => {
  expect(await chat({ 'x-task-id': 'odd-1' }, { model: 'unpriced' })).toMatchObject({
    status: 400,
    code: 'model_unpriced',
  })
  expect(upstream.seen).toHaveLength(0)
  expect((await chat({}, { model: 'unpriced' })).status).toBe(200)
})

test('a route whose dear model does not fit goes to the cheap one, and says so', async () => {
  const reply = await chat({ 'x-task-id': 'route-1', 'x-task-budget-usd': '0.005' }, { model: 'auto:best' })
  expect(reply.status).toBe(200)
  expect(reply.headers.get('x-route-reason')).toBe('budget')
  expect((await send('GET', '/v1/tasks/route-1')).body).toMatchObject({ state: 'running' })
  // The dear one could give a part of the answer, the cheap one all of it.
  const task = { 'x-task-id': 'route-2', 'x-task-budget-usd': '0.3' }
  const whole = await chat(task, { model: 'auto:best', max_tokens: 500 })
  expect(whole.headers.get('x-route-reason')).toBe('budget')
  expect(JSON.parse(upstream.seen.at(-1)?.body ?? '{}')).toMatchObject({ model: 'small', max_tokens: 500 })
  await chat(task, { model: 'dear', max_tokens: 500 })
  expect(JSON.parse(upstream.seen.at(-1)?.body ?? '{}')).toMatchObject({ model: 'big' })
})

test("a key's day has a limit of its own, with a task and without", async () => {
  const key = { authorization: 'Bearer sk-capped' }
  expect((await chat(key)).status).toBe(200)
  const refused = await chat({ ...key, 'x-task-id': 'day-1' }, { max_tokens: 64 })
  expect(refused).toMatchObject({ status: 402, code: 'request_exceeds_remaining' })
  expect((await chat(key, { max_tokens: 64 })).code).toBe('request_exceeds_remaining')
  // It is the key that has run out, not the task.
  expect((await send('GET', '/v1/tasks/day-1')).body).toMatchObject({ state: 'running' })
})

test('time and tokens are limits too', async () => {
  const slow = { 'x-task-id': 'short-1', 'x-task-type': 'short' }
  await chat(slow)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect((await chat(slow)).body['error']).toMatchObject({ code: 'task_limit_reached', param: 'max_seconds' })
  const few = { 'x-task-id': 'few-1', 'x-task-type': 'few' }
  expect((await chat(few, { max_tokens: undefined })).status).toBe(200)
  const { max_tokens: cap } = JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as { max_tokens: number }
  expect(cap).toBeLessThan(2000)
  const lowered = await chat(few, { max_tokens: 1990 })
  const { max_tokens: sent } = JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as { max_tokens: number }
  expect(lowered.headers.get('x-switchyard-max-tokens')).toBe(String(sent))
  expect(sent).toBeLessThan(1990)
  const strict = { 'x-task-id': 'strict-1', 'x-task-type': 'strict' }
  expect((await chat(strict, { max_tokens: 1990 })).body['error']).toMatchObject({
    code: 'task_limit_reached',
    param: 'max_tokens',
  })
})

test("a caller's cap that the budget cannot pay is lowered, the answer says so, and money stays a hard limit", async () => {
  const sentCap = (): unknown => (JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as { max_tokens?: number }).max_tokens
  const task = { 'x-task-id': 'lower-1', 'x-task-budget-usd': '0.0023' }
  const whole = await chat(task, { max_tokens: 100 })
  expect(whole.headers.get('x-switchyard-max-tokens')).toBeNull()
  expect(sentCap()).toBe(100)
  for (const stream of [false, true]) {
    const reply = await chat(task, { max_tokens: 32_000, stream })
    expect(reply.status).toBe(200)
    const cap = sentCap() as number
    expect(reply.headers.get('x-switchyard-max-tokens')).toBe(String(cap))
    expect(cap).toBeGreaterThanOrEqual(64)
    expect(cap).toBeLessThan(200)
  }
  expect((await send('GET', '/v1/tasks/lower-1')).body).toMatchObject({ spent: { nano_usd: 3 * COST } })
  const text = (await send('GET', '/metrics')).body['text'] as string
  expect(text).toMatch(/^switchyard_budget_caps_lowered_total [2-9]/m)
  // Nothing of use is left: as ever.
  const poor = { 'x-task-id': 'lower-2', 'x-task-budget-usd': '0.0015' }
  const refused = await chat(poor, { max_tokens: 32_000 })
  expect(refused).toMatchObject({ status: 402, code: 'request_exceeds_remaining' })
  expect(refused.body['error']).toMatchObject({ param: 'max_tokens' })
})

test('a longer transcript is held by what its beginning was billed for, and another one by its bytes', async () => {
  const task = { 'x-task-id': 'known-1', 'x-task-budget-usd': '0.065' }
  const begin = { role: 'user', content: 'a'.repeat(60_000) }
  const more = [
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'b'.repeat(6000) },
  ]
  expect((await chat(task, { messages: [begin] })).status).toBe(200)
  expect((await chat(task, { messages: [begin, ...more] })).status).toBe(200)
  const other = { ...begin, content: 'c'.repeat(60_000) }
  expect(await chat(task, { messages: [other, ...more] })).toMatchObject({ status: 402 })
})

test('calls of tools that write are counted from the transcript and have a limit of their own', async () => {
  const task = { 'x-task-id': 'writes-1', 'x-task-type': 'writes' }
  const call = (id: string, name: string): object[] => [
    { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }] },
    { role: 'tool', tool_call_id: id, content: 'ok' },
  ]
  const reads = [...PING.messages, ...call('a', 'look'), ...call('b', 'booking'), ...call('c', 'refund_order')]
  expect((await chat(task, { messages: reads })).status).toBe(200)
  expect((await chat(task, { messages: reads })).status).toBe(200)
  expect((await send('GET', '/v1/tasks/writes-1')).body).toMatchObject({
    limits: { max_write_calls: 1 },
    spent: { tool_calls: 3, write_calls: 1 },
  })
  // An id that a model gives twice is two calls.
  const second = await chat(task, { messages: [...reads, ...call('a', 'book')] })
  expect(second).toMatchObject({ status: 402, code: 'task_limit_reached' })
  expect(second.body['error']).toMatchObject({ param: 'max_write_calls' })
  expect((await send('GET', '/v1/tasks/writes-1')).body).toMatchObject({
    state: 'paused_budget',
    spent: { tool_calls: 4, write_calls: 2 },
  })
})

test('a limit of write calls is refused where nobody has said which tools write', async () => {
  const limits = { max_write_calls: 0 }
  const made = await send('POST', '/v1/tasks', { id: 'writes-2', type: 'writes', limits })
  expect(made.body).toMatchObject({ limits: { max_write_calls: 0 } })
  const refused = await send('POST', '/v1/tasks', { id: 'writes-3', limits })
  expect(refused).toMatchObject({ status: 400, code: 'invalid_value' })
  expect(refused.body['error']).toMatchObject({ param: 'limits.max_write_calls' })
  expect((await send('GET', '/v1/tasks/writes-3')).status).toBe(404)
})

test('an upstream that refuses costs nothing, one that fails leaves its hold as spent', async () => {
  const task = { 'x-task-id': 'fails-1', 'x-task-budget-usd': '1' }
  upstream.answer = json(429, { error: { message: 'slow down' } })
  expect((await chat(task)).status).toBe(429)
  expect((await send('GET', '/v1/tasks/fails-1')).body).toMatchObject({
    spent: { nano_usd: 0 },
    unresolved_nano_usd: 0,
  })
  upstream.answer = json(500, { error: { message: 'oops' } })
  expect((await chat(task)).status).toBe(502)
  const page = (await send('GET', '/v1/tasks/fails-1')).body
  expect(page).toMatchObject({ spent: { nano_usd: 0 }, held_nano_usd: 0 })
  expect(page['unresolved_nano_usd']).toBeGreaterThan(0)
})

test('tasks are made with limits below their type, listed by state and page', async () => {
  const made = await send('POST', '/v1/tasks', {
    id: 'made-1',
    limits: { max_usd: '0.5', max_tool_calls: 3 },
    metadata: { ticket: '42' },
  })
  expect(made).toMatchObject({
    status: 201,
    body: {
      id: 'made-1',
      state: 'running',
      limits: { max_usd: '0.5', max_tool_calls: 3, concurrency: 64 },
      metadata: { ticket: '42' },
    },
  })
  expect(await send('POST', '/v1/tasks', { id: 'made-1' })).toMatchObject({ status: 409, code: 'task_conflict' })
  expect((await send('POST', '/v1/tasks', { id: 'made-2', limits: { max_usd: '1000' } })).body).toMatchObject({
    limits: { max_usd: '25' },
  })
  expect((await chat({ 'x-task-id': 'made-3', 'x-task-budget-usd': '1000' })).status).toBe(200)
  expect((await send('GET', '/v1/tasks/made-3')).body).toMatchObject({ limits: { max_usd: '25' } })
  const first = await send('GET', '/v1/tasks?limit=2&state=running')
  expect(first.body).toMatchObject({ has_more: true })
  const [a, b] = first.body['data'] as { id: string }[]
  const next = (await send('GET', `/v1/tasks?limit=2&state=running&after=${b?.id}`)).body['data'] as { id: string }[]
  expect(next.map((each) => each.id)).not.toContain(a?.id)
})

test.each([
  [{ limits: { max_usd: -1 } }, 'limits.max_usd'],
  [{ limits: { max_usd: 'NaN' } }, 'limits.max_usd'],
  [{ limits: { max_usd: '1e400' } }, 'limits.max_usd'],
  [{ limits: { max_tokens: 1.5 } }, 'limits.max_tokens'],
  [{ limits: { usd: 1 } }, 'limits.usd'],
  [{ id: 'a\nb' }, 'id'],
  [{ metadata: { a: 1 } }, 'metadata'],
  [{ input: 'go' }, 'input'],
])('a task of %j is refused by name', async (body, param) => {
  const reply = await send('POST', '/v1/tasks', body)
  expect(reply.status).toBe(400)
  expect(reply.body['error']).toMatchObject({ param })
})

test('usage adds up over every group to the same total', async () => {
  const admin = { authorization: `Bearer ${ADMIN}` }
  const usage = async (by: string): Promise<{ data: { nano_usd: number }[]; total: { nano_usd: number } }> =>
    (await send('GET', `/v1/usage?by=${by}`, undefined, admin)).body as never
  const { total } = await usage('')
  expect(total.nano_usd).toBeGreaterThan(0)
  for (const by of ['task_type', 'model', 'key', 'tenant', 'day', 'key,model']) {
    const { data } = await usage(by)
    expect(data.reduce((sum, row) => sum + row.nano_usd, 0)).toBe(total.nano_usd)
  }
  expect(await send('GET', '/v1/usage')).toMatchObject({ status: 403, code: 'admin_only' })
  expect(await send('GET', '/v1/usage?by=prompt', undefined, admin)).toMatchObject({ status: 400 })
})

test('nothing is held when nothing runs, and refusals are counted', async () => {
  const text = (await send('GET', '/metrics')).body['text'] as string
  expect(text).toMatch(/^switchyard_budget_held_usd 0$/m)
  expect(text).toMatch(/^switchyard_budget_refusals_total\{code="request_exceeds_remaining"\} [1-9]/m)
  expect(text).toMatch(/^switchyard_task_cost_usd_count\{type="stops",outcome="stopped"\} 1$/m)
  expect(text).toMatch(/^switchyard_task_tool_calls_count\{type="stops",outcome="stopped"\} 1$/m)
  expect(text).toMatch(/^switchyard_tasks_total\{state="running"\} [1-9]/m)
  expect(text).toMatch(/^switchyard_tasks_total\{state="paused_budget"\} [1-9]/m)
  expect(text).toMatch(/^switchyard_tasks_total\{state="denied"\} 0$/m)
})

test('a second service on the same data is refused with a sentence', async () => {
  const second = startGatewayProcess({
    config: `upstreams: { up: { kind: vllm, replicas: ["${upstream.url}"] } }\nmodels: { m: { upstream: up, model: x } }\ntelemetry: { log: off, events: null }`,
    flags: ['--data-dir', `${gateway.dir}/data`],
  })
  await expect(second).rejects.toThrow(/ended with 2 .*another switchyard runs on/s)
})
