/** Calls at the same time of one task, over real gateways on one Redis. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { forgetInRedis } from '../../src/budget/redis/redis-forget.ts'
import { LimitScripts } from '../../src/budget/redis/limit-scripts.ts'
import { SharedKeyLimits } from '../../src/budget/redis/shared-key-limits.ts'
import { SharedTaskCalls } from '../../src/budget/redis/shared-task-calls.ts'
import { UpkeepLease } from '../../src/budget/redis/redis-lease.ts'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { openRedisLedger } from '../support/redis-driver.ts'
import { NO_REDIS, startRedis } from '../support/redis-server.ts'

const config = (upstream: string): string => `
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
taskTypes:
  pair: { maxUsd: 1, concurrency: 2 }
keys:
  - { name: ci, key: sk-test, tenant: acme }
  - { name: other, key: sk-other, tenant: globex }
telemetry: { log: off, events: null }
`
const ROOT = 'switchyard:{acme}'

interface Said {
  readonly status: number
  readonly code: string | undefined
}

async function world() {
  const redis = await startRedis()
  onTestFinished(() => redis.remove())
  const upstream = await startFakeUpstream()
  upstream.answer = say('Hello')
  const start = (): Promise<GatewayProcess> =>
    startGatewayProcess({ config: config(upstream.url), env: { REDIS_URL: redis.url } })
  const [a, b] = await Promise.all([start(), start()] as const)
  return { redis, upstream, a, b }
}

async function chat(gateway: GatewayProcess, task: string, more: Readonly<Record<string, string>> = {}): Promise<Said> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json', 'x-task-id': task, ...more },
    body: JSON.stringify({ model: 'paid', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  const body = (await response.json()) as { error?: { code: string } }
  return { status: response.status, code: body.error?.code }
}
const PAIR = { 'x-task-type': 'pair' }
const REFUSED: Said = { status: 429, code: 'task_concurrency' }
const SOON = { timeout: 5000 }

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  test('a task of two calls at the same time has two over both gateways, and a place is free as soon as a call ends', async () => {
    const { a, b, upstream } = await world()
    const over = Promise.withResolvers<void>()
    upstream.answer = async (...args) => {
      await over.promise
      return say('Hello')(...args)
    }
    // One at each, so that neither has reached the limit by itself.
    const running = [chat(a, 'both', PAIR), chat(b, 'both', PAIR)]
    await expect.poll(() => upstream.seen.length, SOON).toBe(2)
    expect(await Promise.all([chat(a, 'both'), chat(b, 'both')])).toEqual([REFUSED, REFUSED])
    expect(upstream.seen).toHaveLength(2)
    // The task of that name of another tenant, and another task, are others.
    const others = [chat(a, 'both', { authorization: 'Bearer sk-other' }), chat(b, 'another', PAIR)]
    await expect.poll(() => upstream.seen.length, SOON).toBe(4)
    over.resolve()
    for (const { status } of await Promise.all([...running, ...others])) expect(status).toBe(200)
    for (const gateway of [a, b, b, a]) expect(await chat(gateway, 'both')).toMatchObject({ status: 200 })
  }, 20_000)

  test('the limit of a task that was made at one gateway holds for its first calls at the other', async () => {
    const { a, b, upstream } = await world()
    const made = await fetch(`${a.url}/v1/tasks`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'single', limits: { concurrency: 1 } }),
    })
    expect(made.status).toBe(201)
    const over = Promise.withResolvers<void>()
    upstream.answer = async (...args) => {
      await over.promise
      return say('Hello')(...args)
    }
    const calls = Array.from({ length: 6 }, (_, i) => chat(i % 2 === 0 ? b : a, 'single'))
    const refused = Promise.all(calls.map((call) => call.then(({ status }) => status === 429)))
    await expect.poll(() => upstream.seen.length, SOON).toBe(1)
    expect(await chat(b, 'single')).toEqual(REFUSED)
    over.resolve()
    expect((await refused).filter((is) => !is)).toHaveLength(1)
    expect(upstream.seen).toHaveLength(1)
  }, 20_000)

  test('calls of a killed gateway end with its lease, and of tasks that rest nothing stays in Redis', async () => {
    const { redis, a, b, upstream } = await world()
    upstream.answer = () => {}
    const hanging = [chat(a, 'killed', PAIR), chat(a, 'killed', PAIR)].map((call) => call.catch(() => 'gone'))
    await expect.poll(() => upstream.seen.length, SOON).toBe(2)
    upstream.answer = say('Hello')
    expect(await chat(b, 'killed')).toEqual(REFUSED)
    a.signal('SIGKILL')
    expect(await Promise.all(hanging)).toEqual(['gone', 'gone'])
    await expect
      .poll(() => chat(b, 'killed').then(({ status }) => status), { timeout: 20_000, interval: 500 })
      .toBe(200)
    const admin = redis.client()
    await expect.poll(() => admin.pttl(`${ROOT}:task-calls:killed`), SOON).toBeGreaterThan(0)
    // While a call runs it stays.
    upstream.answer = () => {}
    void chat(b, 'killed').catch(() => {})
    await expect.poll(() => admin.pttl(`${ROOT}:task-calls:killed`), SOON).toBe(-1)
  }, 40_000)

  test('without Redis no call gets a place', async () => {
    const { redis, a, upstream } = await world()
    expect(await chat(a, 'later', PAIR)).toMatchObject({ status: 200 })
    await redis.stop('SIGKILL')
    expect(await chat(a, 'later')).toEqual({ status: 503, code: 'ledger_unavailable' })
    expect(upstream.seen).toHaveLength(1)
    await redis.start()
    await expect.poll(() => chat(a, 'later').then(({ status }) => status), { timeout: 10_000 }).toBe(200)
    // What was refused has left no place taken.
    const both = [chat(a, 'later'), chat(a, 'later')]
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
  }, 20_000)

  test('a call whose end is told after its tenant was forgotten brings nothing of the tenant back, and stops nobody', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.remove())
    const { ledger, link, die } = await openRedisLedger(redis.url, { owner: 'gw_a' })
    onTestFinished(die)
    const scripts = new LimitScripts({ link, owner: 'gw_a', rootOf: (tenant) => ledger.rootOf(tenant) })
    const calls = new SharedTaskCalls(scripts)
    const limits = new SharedKeyLimits(scripts)
    const task = { tenant: 'acme', id: 'gone', concurrency: 1 }
    const rates = { requestsPerMinute: 5, tokensPerMinute: undefined, concurrency: 1 }
    const call = { tenant: 'acme', key: 'ci', tokens: 1, limits: rates }
    await Promise.all([calls.enter(task), limits.admit(call)])
    const lease = (await UpkeepLease.take(link, 'test', 'acme')) as UpkeepLease
    await forgetInRedis(link, lease, { tenant: 'acme', keys: undefined }, () => Promise.resolve())
    calls.leave(task)
    limits.release(call, 7, 5)
    // What was not heard would be told again after a second.
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect([link.down, JSON.stringify(await redis.client().keys('*'))]).toEqual([
      undefined,
      expect.not.stringContaining('acme'),
    ])
  }, 20_000)
})
