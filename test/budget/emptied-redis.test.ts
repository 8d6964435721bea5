/** Redis comes back empty in the middle of something: nothing goes on, nothing begins anew by itself, and nothing that ran is free. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { forgetInRedis } from '../../src/budget/redis/redis-forget.ts'
import { UpkeepLease } from '../../src/budget/redis/redis-lease.ts'
import type { Subject } from '../../src/budget/upkeep/forget.ts'
import { RedisDown } from '../../src/store/redis-link.ts'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'
import { redisUpkeepWorld, type RedisUpkeepWorld } from '../support/redis-upkeep-world.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const ADMIN = 'sk-admin-test'
/** 5 tokens in and 7 out of the scripted upstream: 5 x $1 + 7 x $10 per million. */
const COST = 75_000
const SOON = { timeout: 10_000, interval: 50 }
const WHAT_TO_DO = /switchyard store begin/
const OLD = { day: '2026-08-15', tenant: 'acme', key: 'ci-of-0', task: 't1', end: { cost: 5 } } as const

const config = (upstream: string): string => `
server: { adminKey: env:TEST_ADMIN_KEY }
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
keys:
  - { name: ci, key: sk-test, tenant: acme }
telemetry: { events: ./data/events.jsonl }
`

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  let server: RedisServer
  let admin: Redis
  beforeAll(async () => {
    server = await startRedis()
    admin = server.client()
  })
  afterAll(() => server.remove())

  /** Does something on the same books again and again, and empties Redis one rest later each time, until it got through. */
  async function emptiedAtEachRest(
    work: (world: RedisUpkeepWorld, rest: () => Promise<void>) => Promise<unknown>,
  ): Promise<number> {
    for (let at = 1; ; at++) {
      const world = await redisUpkeepWorld(server, admin)
      try {
        await world.add([...Array.from({ length: 130 }, () => OLD), { ...OLD, key: 'ci-of-1', task: 't2' }])
        let rests = 0
        const done = work(world, async () => {
          if ((rests += 1) === at) await admin.flushall()
        })
        const outcome = await done.then(
          () => 'done',
          (error: unknown) => error,
        )
        if (rests < at) {
          expect(outcome).toBe('done')
          return at - 1
        }
        expect(outcome).toBeInstanceOf(RedisDown)
        expect(String(outcome)).toMatch(WHAT_TO_DO)
        // Not a book, a mark or a tenant is made: who restores the file finds nothing that contradicts it.
        expect(await admin.keys('*')).toEqual([])
      } finally {
        world.die()
      }
    }
  }

  test('retention stops, wherever it is', async () => {
    expect(await emptiedAtEachRest((world, rest) => world.retain('2026-09-01', rest))).toBeGreaterThan(5)
  }, 30_000)

  test.each<Subject>([
    { tenant: 'acme', keys: undefined },
    { tenant: 'acme', keys: new Set(['ci-of-0']) },
  ])(
    'forgetting stops, wherever it is: $keys',
    async (subject) => {
      const forget = async ({ link }: RedisUpkeepWorld, rest: () => Promise<void>): Promise<void> => {
        const lease = (await UpkeepLease.take(link, 'test', 'acme')) as UpkeepLease
        await forgetInRedis(link, lease, subject, rest)
      }
      expect(await emptiedAtEachRest(forget)).toBeGreaterThan(5)
    },
    30_000,
  )

  test('a request under way ends and is booked when the books are back; until then nothing else is sent, shown or forgotten', async () => {
    const redis = await startRedis({ flags: ['--appendfsync', 'always'] })
    onTestFinished(() => redis.remove())
    const upstream = await startFakeUpstream()
    upstream.answer = say('Hello')
    const env = { TEST_ADMIN_KEY: ADMIN, REDIS_URL: redis.url }
    const gateway = await startGatewayProcess({ config: config(upstream.url), env })
    const ask = async (path: string, key = 'sk-test', body?: object): Promise<{ status: number; text: string }> => {
      const reply = await fetch(gateway.url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-task-id': 'mine' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: reply.status, text: await reply.text() }
    }
    const chat = (): ReturnType<typeof ask> =>
      ask('/v1/chat/completions', 'sk-test', {
        model: 'paid',
        max_tokens: 10,
        messages: [{ role: 'user', content: 'Hi' }],
      })
    const run = (...args: readonly string[]): Promise<CommandResult> => runCommand(args, { cwd: gateway.dir, env })
    const events = join(gateway.dir, 'data/events.jsonl')
    expect(await chat()).toMatchObject({ status: 200 })
    await expect.poll(() => existsSync(events) && readFileSync(events, 'utf8').includes('"mine"'), SOON).toBe(true)
    const over = Promise.withResolvers<void>()
    upstream.answer = async (...args) => {
      await over.promise
      return say('Late')(...args)
    }
    const running = chat()
    await expect.poll(() => upstream.seen.length, SOON).toBe(2)

    // Another server takes its place, with nothing in it.
    await redis.stop('SIGKILL')
    await redis.start('--appenddirname', 'empty')
    const empty = redis.client()
    await expect.poll(() => gateway.output(), SOON).toContain('cannot be written')
    expect(await chat()).toMatchObject({ status: 503, text: expect.stringContaining('ledger_unavailable') as string })
    over.resolve()
    expect(await running).toMatchObject({ status: 200, text: expect.stringContaining('Late') as string })
    expect(await chat()).toMatchObject({ status: 503 })
    expect(upstream.seen).toHaveLength(2)
    // Nobody is told that nothing was spent.
    expect(await ask('/v1/tasks/mine')).toMatchObject({ status: 503 })
    expect(await ask('/v1/usage', ADMIN)).toMatchObject({ status: 503 })
    const forgotten = await run('forget', '--tenant', 'acme', '--yes')
    expect([forgotten.code, forgotten.err]).toEqual([2, expect.stringMatching(WHAT_TO_DO)])
    expect(readFileSync(events, 'utf8')).toContain('"mine"')
    const verified = await run('ledger', 'verify')
    expect([verified.code, verified.err]).toEqual([2, expect.stringMatching(WHAT_TO_DO)])
    expect(await empty.keys('*')).toEqual([])

    // The former one is restored.
    await redis.stop('SIGKILL')
    await redis.start()
    const spent = async (): Promise<unknown> => {
      const { status, text } = await ask('/v1/tasks/mine')
      return status === 200 ? (JSON.parse(text) as object) : status
    }
    await expect
      .poll(spent, SOON)
      .toMatchObject({ spent: { nano_usd: 2 * COST, model_calls: 2 }, held_nano_usd: 0, unresolved_nano_usd: 0 })
    upstream.answer = say('Hello')
    expect(await chat()).toMatchObject({ status: 200 })
    expect(JSON.parse((await run('ledger', 'verify', '--json')).out)).toMatchObject({ settled: 3 * COST, problems: [] })
  }, 60_000)

  test('emptied behind a connection that stays, it is not taken for books in which nothing was spent', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.remove())
    const upstream = await startFakeUpstream()
    upstream.answer = say('Hello')
    const env = { TEST_ADMIN_KEY: ADMIN, REDIS_URL: redis.url }
    const start = (): ReturnType<typeof startGatewayProcess> =>
      startGatewayProcess({ config: config(upstream.url), env })
    // Each finds it out by itself.
    const [a, b] = await Promise.all([start(), start()] as const)
    const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json', 'x-task-id': 'mine' }
    const body = JSON.stringify({ model: 'paid', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] })
    for (const { url } of [a, b])
      expect((await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).status).toBe(200)
    const events = join(b.dir, 'data/events.jsonl')
    await expect.poll(() => existsSync(events) && readFileSync(events, 'utf8').includes('"mine"'), SOON).toBe(true)
    await redis.client().flushall()
    const usage = await fetch(`${a.url}/v1/usage`, { headers: { authorization: `Bearer ${ADMIN}` } })
    expect(usage.status).toBe(503)
    const forgotten = await runCommand(['forget', '--tenant', 'acme', '--yes'], { cwd: b.dir, env })
    expect([forgotten.code, forgotten.err]).toEqual([2, expect.stringMatching(WHAT_TO_DO)])
    expect(readFileSync(events, 'utf8')).toContain('"mine"')
  }, 20_000)
})
