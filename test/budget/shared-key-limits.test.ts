/** Limits of a key per minute and of calls at the same time, over four real gateways on one Redis. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { LimitScripts } from '../../src/budget/redis/limit-scripts.ts'
import { SharedKeyLimits } from '../../src/budget/redis/shared-key-limits.ts'
import type { SwitchyardError } from '../../src/shared/errors.ts'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { openRedisLedger } from '../support/redis-driver.ts'
import { NO_REDIS, startRedis, type RedisServer } from '../support/redis-server.ts'

const config = (upstream: string): string => `
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
routes:
  auto: { small: [ paid ], big: [ paid ], targetBigShare: 1 }
keys:
  - { name: slow, key: sk-slow, tenant: acme, requestsPerMinute: 10 }
  - { name: few, key: sk-few, tenant: acme, concurrency: 3 }
telemetry: { log: off, events: null }
`

async function chat(gateway: GatewayProcess, key: string): Promise<number> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'paid', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  await response.text()
  return response.status
}

async function gatewaysOn(redis: RedisServer, count: number) {
  const upstream = await startFakeUpstream()
  upstream.answer = say('Hello')
  const start = (): Promise<GatewayProcess> =>
    startGatewayProcess({ config: config(upstream.url), env: { REDIS_URL: redis.url } })
  return { upstream, gateways: await Promise.all(Array.from({ length: count }, start)) }
}

async function newRedis(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.remove())
  return redis
}

/** One gateway's view, without the gateway. */
async function limitsOf(redis: RedisServer, owner: string, before: () => Promise<void> = () => Promise.resolve()) {
  const { ledger, link, die } = await openRedisLedger(redis.url, { owner })
  onTestFinished(die)
  await ledger.beat()
  const scripts = new LimitScripts({
    link,
    owner,
    rootOf: async (tenant) => {
      await before()
      return ledger.rootOf(tenant)
    },
  })
  const limits = new SharedKeyLimits(scripts)
  const call = (tokens: number, more: { tokensPerMinute?: number; concurrency?: number }) => ({
    tenant: 'acme',
    key: 'ci',
    tokens,
    limits: { requestsPerMinute: undefined, tokensPerMinute: undefined, concurrency: undefined, ...more },
  })
  return { limits, call, ledger }
}

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  test('a key of ten requests a minute gets ten from four gateways, whichever it asks', async () => {
    const { gateways } = await gatewaysOn(await newRedis(), 4)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => chat(gateways[i % 4] as GatewayProcess, 'sk-slow')),
    )
    expect(answers.filter((status) => status === 200)).toHaveLength(10)
    expect(answers.filter((status) => status === 429)).toHaveLength(30)
  })

  test('a key of three calls at the same time has three over four gateways; those of a killed one end with its lease', async () => {
    const { gateways, upstream } = await gatewaysOn(await newRedis(), 4)
    upstream.answer = () => {}
    const [first, ...others] = gateways as [GatewayProcess, ...GatewayProcess[]]
    const hanging = Array.from({ length: 3 }, () => chat(first, 'sk-few').catch(() => 'gone'))
    await expect.poll(() => upstream.seen.length, { timeout: 5000 }).toBe(3)
    upstream.answer = say('Hello')
    expect(await Promise.all(others.map((gateway) => chat(gateway, 'sk-few')))).toEqual([429, 429, 429])
    first.signal('SIGKILL')
    expect(await Promise.all(hanging)).toEqual(['gone', 'gone', 'gone'])
    await expect.poll(() => chat(others[0] as GatewayProcess, 'sk-few'), { timeout: 20_000, interval: 500 }).toBe(200)
    // What has ended makes room at once.
    for (const gateway of [...others, ...others, ...others]) expect(await chat(gateway, 'sk-few')).toBe(200)
  }, 40_000)

  test('tokens are taken as expected and given back when known, at whichever gateway', async () => {
    const redis = await newRedis()
    const [a, b] = [await limitsOf(redis, 'gw_a'), await limitsOf(redis, 'gw_b')]
    const big = a.call(80, { tokensPerMinute: 100 })
    await a.limits.admit(big)
    await expect(b.limits.admit(big)).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    } satisfies Partial<SwitchyardError>)
    a.limits.release(big, 10, 5)
    await expect.poll(() => b.limits.admit(big).then(() => 'admitted', String)).toBe('admitted')
    // It used more than was expected.
    b.limits.release(big, 200, 5)
    await expect
      .poll(() => a.limits.admit(a.call(1, { tokensPerMinute: 100 })).then(() => 'admitted', String))
      .toContain('tokens')
  })

  test('messages of a gateway that arrive in another order leave no place free that is taken', async () => {
    const redis = await newRedis()
    const gate = Promise.withResolvers<void>()
    let asked = 0
    const a = await limitsOf(redis, 'gw_a', () => ((asked += 1) === 1 ? gate.promise : Promise.resolve()))
    const b = await limitsOf(redis, 'gw_b')
    const first = a.limits.admit(a.call(1, { concurrency: 2 }))
    await a.limits.admit(a.call(1, { concurrency: 2 }))
    gate.resolve()
    await first
    await expect(b.limits.admit(b.call(1, { concurrency: 2 }))).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    } satisfies Partial<SwitchyardError>)
    a.limits.release(a.call(1, { concurrency: 2 }), 1, 5)
    await expect
      .poll(() => b.limits.admit(b.call(1, { concurrency: 2 })).then(() => 'admitted', String))
      .toBe('admitted')
  })

  test('a release that Redis did not hear is told later', async () => {
    const redis = await newRedis()
    const [a, b] = [await limitsOf(redis, 'gw_a'), await limitsOf(redis, 'gw_b')]
    const one = a.call(1, { concurrency: 1 })
    await a.limits.admit(one)
    await redis.stop('SIGTERM')
    a.limits.release(one, 1, 5)
    await redis.start()
    // Both find it again, and the first gives signs of life.
    for (const { ledger } of [a, b])
      await expect.poll(() => ledger.look('acme', undefined, []).then(() => 'up', String), { timeout: 8000 }).toBe('up')
    await a.ledger.beat()
    await expect
      .poll(
        () =>
          b.limits.admit(one).then(
            () => 'admitted',
            () => 'refused',
          ),
        { timeout: 8000 },
      )
      .toBe('admitted')
  }, 20_000)
})
