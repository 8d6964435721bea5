/** The operator's commands on books in Redis: four real gateways, real commands, and a second Redis that takes a backup over. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { NO_REDIS, startRedis } from '../support/redis-server.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const ENV = { TEST_ADMIN_KEY: 'sk-admin-test' }
/** 5 tokens in and 7 out of the scripted upstream: 5 x $1 + 7 x $10 per million. */
const COST = 75_000

const config = (upstream: string, more = ''): string => `
server: { adminKey: env:TEST_ADMIN_KEY }
store: { kind: redis, url: env:REDIS_URL }
upstreams:
  up: { kind: openai, baseUrl: "${upstream}/v1", ask: as-asked, retries: 0, breaker: off }
models:
  paid: { upstream: up, model: small, price: { inputPerM: 1, outputPerM: 10 } }
routes:
  auto: { small: [ paid ], big: [ paid ], targetBigShare: 1 }
keys:
  - { name: ci, key: sk-test, tenant: acme }
  - { name: slow, key: sk-slow, tenant: acme, requestsPerMinute: 10 }
  - { name: few, key: sk-few, tenant: acme, concurrency: 3 }
telemetry: { log: off, events: ./data/events.jsonl }
${more}
`

async function chat(gateway: GatewayProcess, key: string, task?: string): Promise<number> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(task === undefined ? {} : { 'x-task-id': task }),
    },
    body: JSON.stringify({ model: 'paid', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  await response.text()
  return response.status
}

async function world(count: number) {
  const redis = await startRedis()
  onTestFinished(() => redis.remove())
  const upstream = await startFakeUpstream()
  upstream.answer = say('Hello')
  const dirs = Array.from({ length: count }, () => mkdtempSync(join(tmpdir(), 'switchyard-shared-')))
  onTestFinished(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
  })
  const env = { ...ENV, REDIS_URL: redis.url }
  const start = (dir: string): Promise<GatewayProcess> =>
    startGatewayProcess({ config: config(upstream.url), env, dir })
  const gateways = await Promise.all(dirs.map(start))
  const run = (...args: readonly string[]): Promise<CommandResult> => runCommand(args, { cwd: dirs[0] as string, env })
  return { redis, upstream, dirs, gateways, run, env, start }
}

describe.skipIf(NO_REDIS !== undefined)(`with a real Redis${NO_REDIS === undefined ? '' : ` (${NO_REDIS})`}`, () => {
  test('while four gateways work every check adds up, and a backup of that moment begins other books', async () => {
    const { gateways, run, dirs, upstream } = await world(4)
    const over = new AbortController()
    let paid = 0
    const callers = gateways.map(async (gateway, caller) => {
      for (let i = 0; !over.signal.aborted; i++) {
        expect(await chat(gateway, 'sk-test', i % 3 === 0 ? undefined : `task-${(caller + i) % 5}`)).toBe(200)
        paid += 1
      }
    })
    const backup = join(dirs[0] as string, 'backup.sqlite')
    for (let round = 0; round < 12; round++) {
      const { code, out, err } = await run('ledger', 'verify')
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(/^Redis at .*everything adds up\n$/)
    }
    const copied = await run('ledger', 'backup', backup)
    expect([copied.code, copied.err]).toEqual([0, ''])
    over.abort()
    await Promise.all(callers)
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    const all = JSON.parse((await run('ledger', 'verify', '--json')).out) as Record<string, unknown>
    expect(all).toMatchObject({ attempts: paid, unresolved: 0, settled: paid * COST, problems: [] })

    const report = JSON.parse((await run('report', 'tasks', '--format', 'json')).out) as { tasks: number }
    expect(JSON.stringify(report)).toContain('"tasks":5')
    const kinds: Record<string, number> = {}
    for (const line of (await run('export', '--tenant', 'acme')).out.trim().split('\n')) {
      const { type } = JSON.parse(line) as { type: string }
      kinds[type] = (kinds[type] ?? 0) + 1
    }
    expect(kinds).toMatchObject({ key: 3, task: 5, attempt: paid, usage: 1 })

    const other = await startRedis({ hasBooks: false })
    onTestFinished(() => other.remove())
    const env = { ...ENV, REDIS_URL: other.url }
    const there = (...args: readonly string[]): Promise<CommandResult> =>
      runCommand(args, { cwd: dirs[0] as string, env })
    const begun = await there('store', 'begin', '--from', backup)
    expect([begun.code, begun.err]).toEqual([0, ''])
    const kept = JSON.parse((await run('ledger', 'verify', backup, '--json')).out) as Record<string, unknown>
    expect(JSON.parse((await there('ledger', 'verify', '--json')).out)).toMatchObject({
      attempts: kept['attempts'],
      settled: kept['settled'],
      problems: [],
    })
    const next = await startGatewayProcess({ config: config(upstream.url), env })
    expect(await chat(next, 'sk-test', 'task-0')).toBe(200)
    expect(JSON.parse((await there('ledger', 'verify', '--json')).out)).toMatchObject({ problems: [] })
  }, 60_000)

  test('a tenant is forgotten through one gateway, and the others begin it anew', async () => {
    const { gateways, run, redis, dirs } = await world(2)
    const [a, b] = gateways as [GatewayProcess, GatewayProcess]
    for (const gateway of [a, b, a]) expect(await chat(gateway, 'sk-test', 'mine')).toBe(200)
    const gone = await run('forget', '--tenant', 'acme', '--yes', '--json')
    expect(gone.code).toBe(0)
    expect(JSON.parse(gone.out)).toMatchObject({ attempts: 3, tasks: 1, totals: 1, keysInFile: ['ci', 'slow', 'few'] })
    expect(gone.err).toContain('other gateways')
    expect(readFileSync(join(dirs[0] as string, 'data/events.jsonl'), 'utf8')).not.toContain('"mine"')
    const admin = redis.client()
    expect(JSON.stringify(await admin.keys('*'))).not.toContain('acme')
    expect(JSON.parse((await run('ledger', 'verify', '--json')).out)).toMatchObject({ settled: 3 * COST, problems: [] })
    // The tenant's key is in the file: its next request begins it anew, after at most a moment of 503.
    await expect.poll(() => chat(b, 'sk-test', 'mine'), { timeout: 5000 }).toBe(200)
    await expect.poll(() => chat(a, 'sk-test', 'mine'), { timeout: 5000 }).toBe(200)
    const task = await fetch(`${a.url}/v1/tasks/mine`, { headers: { authorization: 'Bearer sk-test' } })
    expect(await task.json()).toMatchObject({ spent: { nano_usd: 2 * COST, model_calls: 2 } })
    expect(JSON.parse((await run('ledger', 'verify', '--json')).out)).toMatchObject({ settled: 5 * COST, problems: [] })
  }, 30_000)

  test('commands work without a gateway, and say where Redis is when it is not there', async () => {
    const { gateways, run, redis, dirs } = await world(1)
    const [gateway] = gateways as [GatewayProcess]
    expect(await chat(gateway, 'sk-test', 'mine')).toBe(200)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(0)
    expect((await run('ledger', 'reconcile')).out).toContain('0 unresolved')
    expect((await run('forget', '--tenant', 'acme', '--yes')).code).toBe(0)
    await redis.stop('SIGTERM')
    for (const command of [
      ['ledger', 'verify'],
      ['ledger', 'reconcile'],
      ['report', 'tasks'],
      ['export', '--tenant', 'acme'],
    ]) {
      const { code, err } = await run(...command)
      expect([command, code, err]).toEqual([command, 69, expect.stringContaining('Redis at')])
    }
    writeFileSync(join(dirs[0] as string, 'there.sqlite'), '')
    expect((await run('ledger', 'backup', 'there.sqlite')).err).toContain('is there already')
  }, 30_000)
})
