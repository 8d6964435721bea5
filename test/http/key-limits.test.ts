/** What a key may do, seen from its caller: limits per key, tenants apart from each other. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { say, startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { runCommand } from '../support/run-command.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }

async function setup(more = ''): Promise<{ gateway: GatewayProcess; upstream: FakeUpstream }> {
  const upstream = await startFakeUpstream(say('Hello'))
  return {
    upstream,
    gateway: await startGatewayProcess({ config: configFor({ small: upstream.url }, more), env: ENV }),
  }
}

async function create({ dir }: GatewayProcess, name: string, ...flags: readonly string[]): Promise<string> {
  const args = ['keys', 'create', '--name', name, ...flags, '--data-dir', join(dir, 'data')]
  return (await runCommand(args, { cwd: dir })).out.trim()
}

function chat(
  { url }: GatewayProcess,
  key: string,
  { model = 'small', headers = {} }: { model?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }] }),
  })
}

test('requests per minute bind a key and no other, and a rotation hands out no fresh minute', async () => {
  const { gateway, upstream } = await setup()
  const key = await create(gateway, 'limited', '--requests-per-minute', '2')
  const free = await create(gateway, 'free')
  const answers = [await chat(gateway, key), await chat(gateway, key), await chat(gateway, key)]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining-requests'))).toEqual(['1', '0', '0'])
  expect(Number(answers[2]?.headers.get('retry-after-ms'))).toBeGreaterThan(50_000)
  expect((await chat(gateway, free)).status).toBe(200)
  const rotated = await runCommand(['keys', 'rotate', 'limited', '--data-dir', join(gateway.dir, 'data')], {
    cwd: gateway.dir,
  })
  expect((await chat(gateway, rotated.out.trim())).status).toBe(429)
  expect(upstream.seen).toHaveLength(3)
})

test('never more calls at the same time than a key may have; the next is told to wait, and goes through after an end', async () => {
  const { gateway, upstream } = await setup('  - { name: in-file, key: "sk-test-2", concurrency: 2 }')
  const made = await create(gateway, 'made', '--concurrency', '2')
  for (const key of [made, 'sk-test-2']) {
    const waiting: (() => void)[] = []
    upstream.answer = async (request, response) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      await say('Hello')(request, response)
    }
    const running = [chat(gateway, key), chat(gateway, key)]
    await expect.poll(() => waiting.length).toBe(2)
    const refused = await chat(gateway, key)
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('x-should-retry')]).toEqual([
      429,
      '1',
      null,
    ])
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    for (const answer of waiting) answer()
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200])
    upstream.answer = say('Hello')
    expect((await chat(gateway, key)).status).toBe(200)
  }
})

test('a caller that leaves gives its place back', async () => {
  const { gateway, upstream } = await setup()
  const key = await create(gateway, 'made', '--concurrency', '1')
  upstream.answer = () => {}
  const left = new AbortController()
  const lost = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }] }),
    signal: left.signal,
  }).catch(() => 'left')
  await expect.poll(() => upstream.seen.length).toBe(1)
  expect((await chat(gateway, key)).status).toBe(429)
  left.abort()
  await lost
  upstream.answer = say('Hello')
  await expect.poll(async () => (await chat(gateway, key)).status, { timeout: 5000 }).toBe(200)
})

test('a key reaches its models only', async () => {
  const { gateway, upstream } = await setup()
  const key = await create(gateway, 'small-only', '--models', 'small')
  expect((await chat(gateway, key)).status).toBe(200)
  expect((await chat(gateway, key, { model: 'big' })).status).toBe(403)
  expect(upstream.seen).toHaveLength(1)
})

test('one tenant never gets the answer of another, even under the same idempotency key', async () => {
  const { gateway, upstream } = await setup()
  const [acme, beta] = [await create(gateway, 'a', '--tenant', 'acme'), await create(gateway, 'b', '--tenant', 'beta')]
  const ask = async (key: string): Promise<unknown> => {
    const answer = await chat(gateway, key, { headers: { 'idempotency-key': 'same' } })
    return ((await answer.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content
  }
  upstream.answer = say('for acme')
  expect(await ask(acme)).toBe('for acme')
  upstream.answer = say('for beta')
  expect([await ask(beta), await ask(acme)]).toEqual(['for beta', 'for acme'])
  await expect.poll(() => gateway.output(), { timeout: 3000 }).toMatch(/"tenant":"beta","key":"b"/)
})

test('every answer to a limited key says where its limits stand, whatever was asked and however it ended', async () => {
  const { gateway } = await setup()
  const key = await create(gateway, 'limited', '--requests-per-minute', '9', '--tokens-per-minute', '90000')
  const ask = (line: string, headers: Record<string, string> = {}, body?: string): Promise<Response> => {
    const [method, path] = line.split(' ') as [string, string]
    const sent = method === 'GET' ? {} : { body: body ?? '{}' }
    return fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...sent,
    })
  }
  const expected: readonly [line: string, status: number, headers?: Record<string, string>][] = [
    ['GET /v1/models', 200],
    ['GET /v1/models/small', 200],
    ['GET /v1/models/none', 404],
    ['POST /v1/tasks', 201],
    ['GET /v1/tasks', 200],
    ['GET /v1/tasks/none', 404],
    ['GET /v1/tasks/none/events', 404],
    ['POST /v1/tasks/none/top-up', 403],
    ['GET /v1/usage', 403],
    ['GET /v1/responses/none', 404],
    ['POST /v1/responses/none/cancel', 404],
    ['GET /v1/chat/completions', 405],
    ['GET /v1/nothing', 404],
    ['POST /v1/messages/count_tokens', 400],
    ['POST /v1/chat/completions', 400],
    ['POST /v1/chat/completions', 415, { 'content-type': 'text/plain' }],
  ]
  for (const [line, status, headers] of expected) {
    const answer = await ask(line, headers)
    expect([line, answer.status]).toEqual([line, status])
    const seen = ['requests', 'tokens'].map((of) => answer.headers.get(`x-ratelimit-limit-${of}`))
    expect([line, ...seen]).toEqual([line, '9', '90000'])
  }
  const stranger = await ask('GET /v1/nothing', { authorization: 'Bearer sk-nobody' })
  expect([stranger.status, stranger.headers.get('x-ratelimit-limit-requests')]).toEqual([404, null])

  const prompt = JSON.stringify({ model: 'small', max_tokens: 8, messages: [{ role: 'user', content: 'ping' }] })
  const messages = [await ask('POST /v1/messages', {}, prompt), await ask('POST /v1/messages/count_tokens', {}, prompt)]
  for (const { status, headers } of messages) {
    expect(status).toBe(200)
    expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('8')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('8')
    const reset = headers.get('anthropic-ratelimit-requests-reset') ?? ''
    expect(reset).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Math.abs(Date.parse(reset) - Date.now() - 60_000)).toBeLessThan(15_000)
  }
  const chatted = await ask('POST /v1/chat/completions', {}, prompt)
  expect(chatted.headers.get('anthropic-ratelimit-requests-limit')).toBeNull()
})
