/** Two real gateways on one Redis: one budget, one task, one state. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, describe, expect, test, vi } from 'vitest'
import { say, startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { runCommand } from '../support/run-command.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'

const ADMIN = 'sk-admin-test'
/** 5 tokens in and 7 out of the scripted upstream: 5 x $1 + 7 x $10 per million. */
const COST = 75_000
const SOON = { timeout: 8000, interval: 50 }

interface World {
  readonly redis: RedisServer
  readonly upstream: FakeUpstream
  readonly a: GatewayProcess
  readonly b: GatewayProcess
}
interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  const world = async (more = ''): Promise<World> => {
    const redis = await startRedis()
    onTestFinished(() => redis.remove())
    const upstream = await startFakeUpstream()
    upstream.answer = say('Hello')
    const start = (): Promise<GatewayProcess> =>
      startGatewayProcess({
        config: configOf(upstream.url, more),
        env: { TEST_ADMIN_KEY: ADMIN, REDIS_URL: redis.url },
      })
    const [a, b] = await Promise.all([start(), start()] as const)
    return { redis, upstream, a, b }
  }

  test('spend one budget to the nano-dollar, wherever a request arrives', async () => {
    const { a, b } = await world()
    await ask(a, '/v1/tasks', { id: 'shared', limits: { max_usd: 0.01 } })
    for (const gateway of [a, b, a, b]) expect((await chat(gateway, 'shared')).status).toBe(200)
    const seen = await Promise.all([a, b].map((gateway) => ask(gateway, '/v1/tasks/shared')))
    for (const { body } of seen) {
      expect(body).toMatchObject({ spent: { nano_usd: 4 * COST, model_calls: 4 }, held_nano_usd: 0 })
      expect(body['attempts']).toHaveLength(4)
    }
    const { headers } = await chat(b, 'shared')
    expect(headers.get('x-task-cost-usd')).toBe('0.000375')
    expect(headers.get('x-task-remaining-usd')).toBe('0.009625')
  })

  test('admit together of many calls at once no more than the budget holds', async () => {
    const { a, b, upstream } = await world('budget: { holdWaitMs: 0 }')
    await ask(a, '/v1/tasks', { id: 'many', limits: { max_usd: 0.003 } })
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => chat(i % 2 === 0 ? a : b, 'many')))
    const paid = answers.filter(({ status }) => status === 200).length
    expect(paid).toBeGreaterThan(0)
    expect(paid * COST).toBeLessThanOrEqual(3_000_000)
    expect(upstream.seen).toHaveLength(paid)
    expect((await ask(b, '/v1/tasks/many')).body).toMatchObject({ spent: { nano_usd: paid * COST }, held_nano_usd: 0 })
  })

  test('let a task go on after a top-up at the other one, which happens once however often it is sent', async () => {
    const { a, b } = await world()
    await ask(a, '/v1/tasks', { id: 'topped', limits: { max_usd: 0.00008 } })
    expect((await chat(a, 'topped', 4)).status).toBe(402)
    const topUp = (gateway: GatewayProcess): Promise<Answer> =>
      ask(gateway, '/v1/tasks/topped/top-up', { add_usd: 1 }, { 'idempotency-key': 'k1' })
    const [first, second] = await Promise.all([topUp(a), topUp(b)])
    expect([first.status, second.status]).toEqual([200, 200])
    for (const gateway of [a, b]) {
      expect((await ask(gateway, '/v1/tasks/topped')).body).toMatchObject({
        state: 'running',
        limits: { max_usd: '1.00008' },
      })
      expect((await chat(gateway, 'topped', 4)).status).toBe(200)
    }
  })

  test('wake a parked request at one gateway by a top-up at the other', async () => {
    const { a, b } = await world()
    await ask(a, '/v1/tasks', { id: 'parked', type: 'parks' })
    const waiting = chat(a, 'parked', 4)
    await vi.waitFor(
      async () => expect((await ask(b, '/v1/tasks/parked')).body).toMatchObject({ state: 'paused_budget' }),
      SOON,
    )
    await ask(b, '/v1/tasks/parked/top-up', { add_usd: 1 }, { 'idempotency-key': 'k2' })
    expect((await waiting).status).toBe(200)
  })

  test('refuse what was cancelled at the other one', async () => {
    const { a, b } = await world()
    expect((await chat(a, 'ends')).status).toBe(200)
    await ask(b, '/v1/tasks/ends/cancel', {})
    expect((await chat(a, 'ends')).status).toBe(410)
  })

  test('answer 503 within a second while Redis is gone, stay alive, and go on with the same books when it is back', async () => {
    const { redis, a, upstream } = await world()
    expect((await chat(a, 'outage')).status).toBe(200)
    await redis.stop('SIGKILL')
    const before = performance.now()
    const refused = await chat(a, 'outage')
    expect(performance.now() - before).toBeLessThan(1000)
    expect(refused.status).toBe(503)
    expect(refused.body).toMatchObject({ error: { code: 'ledger_unavailable' } })
    expect(upstream.seen).toHaveLength(1)
    await redis.start()
    await vi.waitFor(async () => expect((await chat(a, 'outage')).status).toBe(200), SOON)
    expect((await ask(a, '/v1/tasks/outage')).body).toMatchObject({ spent: { nano_usd: 2 * COST } })
    // And one that is there but silent.
    redis.signal('SIGSTOP')
    const stalled = performance.now()
    expect((await chat(a, 'outage')).status).toBe(503)
    expect(performance.now() - stalled).toBeLessThan(1000)
    redis.signal('SIGCONT')
    await vi.waitFor(async () => expect((await chat(a, 'outage')).status).toBe(200), SOON)
  })

  test('count what a killed gateway had sent as spent', async () => {
    const { a, b, upstream } = await world()
    upstream.answer = () => {}
    const hanging = chat(a, 'killed').catch(() => 'gone')
    await vi.waitFor(() => expect(upstream.seen).toHaveLength(1), SOON)
    a.signal('SIGKILL')
    expect(await hanging).toBe('gone')
    await vi.waitFor(
      async () => {
        const { body } = await ask(b, '/v1/tasks/killed')
        expect(body).toMatchObject({ held_nano_usd: 0, spent: { nano_usd: 0 } })
        expect(body['unresolved_nano_usd']).toBeGreaterThan(0)
      },
      { timeout: 20_000, interval: 200 },
    )
    // The bill says what it was; any gateway can book it.
    const ledger = (...args: readonly string[]): ReturnType<typeof runCommand> =>
      runCommand(['ledger', ...args, '--data-dir', join(b.dir, 'data')], { cwd: b.dir })
    const listed = JSON.parse((await ledger('reconcile', '--json')).out) as { id: string }[]
    const id = String(listed[0]?.id)
    const evidence = ['--evidence', 'usage page, line 7']
    const settled = await ledger('reconcile', '--settle', id, '--usd', '0.0001', ...evidence)
    expect(settled).toMatchObject({ code: 0 })
    expect((await ask(b, '/v1/tasks/killed')).body).toMatchObject({
      spent: { nano_usd: 100_000 },
      unresolved_nano_usd: 0,
    })
  })

  test('report usage of both that adds up', async () => {
    const { a, b } = await world()
    await chat(a, 'one')
    await chat(b, 'two')
    await chat(b, undefined)
    const { body } = await ask(a, '/v1/usage?by=tenant', undefined, { authorization: `Bearer ${ADMIN}` })
    expect(JSON.stringify(body)).toContain(`"nano_usd":${3 * COST}`)
  })

  test('refuse to start without Redis with 69, and with wrong settings or without books with 2', async () => {
    const missing = await startGatewayProcess({
      config: configOf('http://127.0.0.1:9'),
      env: { TEST_ADMIN_KEY: ADMIN, REDIS_URL: 'redis://:hush@127.0.0.1:1' },
    }).catch((error: unknown) => String(error))
    expect(missing).toMatch(/ended with 69 [\s\S]*store\.url: Redis at 127\.0\.0\.1:1 cannot be reached/)
    expect(missing).not.toContain('hush')
    const evicting = await startRedis({ flags: ['--maxmemory-policy', 'allkeys-lru'], hasBooks: false })
    onTestFinished(() => evicting.remove())
    const wrong = await startGatewayProcess({
      config: configOf('http://127.0.0.1:9'),
      env: { TEST_ADMIN_KEY: ADMIN, REDIS_URL: evicting.url },
    }).catch((error: unknown) => String(error))
    expect(wrong).toMatch(/ended with 2 [\s\S]*maxmemory-policy is allkeys-lru/)
  })

  test('start on a new Redis after "switchyard store begin", which never empties books that are there', async () => {
    const redis = await startRedis({ hasBooks: false })
    onTestFinished(() => redis.remove())
    const dir = mkdtempSync(join(tmpdir(), 'switchyard-store-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const file = join(dir, 'switchyard.yaml')
    writeFileSync(file, configOf('http://127.0.0.1:9'))
    const env = { TEST_ADMIN_KEY: ADMIN, REDIS_URL: redis.url }
    const serving = (): Promise<unknown> => startGatewayProcess({ config: configOf('http://127.0.0.1:9'), env })
    expect(String(await serving().catch((error: unknown) => error))).toMatch(/ended with 2 [\s\S]*it holds no books/)
    const begin = (): ReturnType<typeof runCommand> =>
      runCommand(['store', 'begin', '--config', file], { env, cwd: dir })
    expect(await begin()).toMatchObject({ code: 0 })
    await serving()
    expect(await begin()).toMatchObject({ code: 2 })
  })

  test('show in "switchyard check" where the books are, without the password', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'switchyard-store-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    writeFileSync(join(dir, 'switchyard.yaml'), configOf('http://127.0.0.1:9'))
    const env = { TEST_ADMIN_KEY: ADMIN, REDIS_URL: 'redis://user:hush@redis.test:6379/0' }
    const { code, out } = await runCommand(['check'], { env, cwd: dir })
    expect(code).toBe(0)
    expect(out).toContain('books shared in Redis at redis.test:6379')
    expect(out).toContain('store.url = "env:REDIS_URL"')
    expect(out).not.toContain('hush')
  })
})

function configOf(upstream: string, more = ''): string {
  return `
server: { adminKey: env:TEST_ADMIN_KEY }
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
routes:
  auto: { small: [ paid ], big: [ paid ], targetBigShare: 1 }
taskTypes:
  parks: { maxUsd: 0.00008, parkSeconds: 20 }
keys:
  - { name: ci, key: sk-test, tenant: acme, canTopUp: true }
telemetry: { log: off, events: null }
${more}
`
}

async function ask(
  gateway: GatewayProcess,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

/** A call whose answer may have `max` tokens: 10 cost at most about as much as it does. */
function chat(gateway: GatewayProcess, task: string | undefined, max = 10): Promise<Answer> {
  const body = { model: 'paid', max_tokens: max, messages: [{ role: 'user', content: 'Hi' }] }
  return ask(gateway, '/v1/chat/completions', body, task === undefined ? {} : { 'x-task-id': task })
}
