/** What is kept of a tenant or a user, written out and deleted: a real service, real commands, and the bytes on the disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { killedService } from '../support/kill-world.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { ADMIN_KEY, moneyConfig, startSimulatedProvider } from '../support/money-world.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const TENANT = 'initech-gmbh'
const ENV = { TEST_ADMIN_KEY: ADMIN_KEY }

interface World {
  readonly gateway: GatewayProcess
  readonly dir: string
  readonly run: (...args: readonly string[]) => Promise<CommandResult>
  call(key: string, task?: string, type?: string): Promise<void>
  restart(): Promise<GatewayProcess>
  stop(): Promise<void>
}

async function world(): Promise<World> {
  const { simulator, url } = await startSimulatedProvider()
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-forget-'))
  onTestFinished(async () => {
    await simulator.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const config = moneyConfig(url).replace('events: null', 'events: ./data/events.jsonl')
  const start = (): Promise<GatewayProcess> => startGatewayProcess({ config, env: ENV, dir })
  let gateway = await start()
  return {
    get gateway() {
      return gateway
    },
    dir,
    run: (...args) => runCommand(args, { cwd: dir, env: ENV }),
    async call(key, task, type) {
      const headers = {
        ...(task === undefined ? {} : { 'x-task-id': task }),
        ...(type === undefined ? {} : { 'x-task-type': type }),
      }
      const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model: 'paid', messages: [{ role: 'user', content: 'Say something.' }] }),
      })
      expect([reply.status, await reply.text()]).toEqual([200, expect.any(String)])
    },
    restart: async () => (gateway = await start()),
    async stop() {
      gateway.signal('SIGTERM')
      expect(await gateway.exited).toBe(0)
    },
  }
}

async function makeKey({ run }: World, name: string, user: string, tenant = TENANT): Promise<string> {
  const made = await run('keys', 'create', '--name', name, '--tenant', tenant, '--user', user)
  expect(made.code).toBe(0)
  return made.out.trim()
}

async function exported({ run }: World, ...flags: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await run('export', '--tenant', TENANT, ...flags)
  expect([code, err]).toEqual([0, ''])
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function kinds(records: readonly Record<string, unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of records) counts[String(type)] = (counts[String(type)] ?? 0) + 1
  return counts
}

async function usage({ gateway }: World, by: string): Promise<{ rows: Record<string, unknown>[]; total: number }> {
  const reply = await fetch(`${gateway.url}/v1/usage?by=${by}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  const body = (await reply.json()) as { data: Record<string, unknown>[]; total: { nano_usd: number } }
  return { rows: body.data, total: body.total.nano_usd }
}

/** Files under the folder in which a text is found. */
function filesWith(dir: string, text: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'switchyard.yaml')
    .filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map(({ name }) => name)
}

test('an export holds keys without secrets, tasks, attempts, totals and events of the tenant, and nothing of others', async () => {
  const it = await world()
  const key = await makeKey(it, 'initech-ci', 'milton@initech.test')
  await it.call(key, 'initech-report', 'initech-kind')
  await it.call(key)
  await it.call('sk-other', 'globex-task')
  await expect.poll(() => filesWith(it.dir, '"request_id"')).toEqual(['events.jsonl'])
  // Lines of several requests may be written one after the other.
  await expect.poll(async () => kinds(await exported(it))['event']).toBe(2)
  const records = await exported(it)
  expect(kinds(records)).toEqual({ key: 1, task: 1, attempt: 2, usage: 2, event: 2 })
  expect(records.find(({ type }) => type === 'task')).toMatchObject({ id: 'initech-report', task_type: 'initech-kind' })
  const text = JSON.stringify(records)
  expect(text).not.toContain('globex')
  expect(text).not.toContain(key.slice(14))
  expect(text).not.toContain('sha256')

  const costs = records.filter(({ type }) => type === 'attempt').map(({ cost_nano_usd }) => Number(cost_nano_usd))
  const totals = records.filter(({ type }) => type === 'usage').map(({ cost_nano_usd }) => Number(cost_nano_usd))
  const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)
  expect(sum(costs)).toBe(sum(totals))

  const { code, err } = await it.run('export', '--tenant', TENANT, '--out', 'initech.jsonl')
  expect([code, err]).toEqual([0, expect.stringContaining('8 lines')])
  expect(statSync(join(it.dir, 'initech.jsonl')).mode & 0o777).toBe(0o600)
  expect((await it.run('export', '--tenant', TENANT, '--out', 'initech.jsonl')).code).toBe(2)
  rmSync(join(it.dir, 'initech.jsonl'))
  await it.stop()
  expect(await exported(it)).toEqual(records)
})

test('a user is a part of the tenant: only what the keys of that user have done is written and forgotten', async () => {
  const it = await world()
  const milton = await makeKey(it, 'milton-key', 'milton@initech.test')
  const peter = await makeKey(it, 'peter-key', 'peter@initech.test')
  await it.call(milton, 'stapler')
  await it.call(milton, 'shared')
  await it.call(peter, 'shared')
  await expect.poll(async () => kinds(await exported(it))['event']).toBe(3)
  expect(kinds(await exported(it, '--user', 'milton@initech.test'))).toEqual({
    key: 1,
    task: 2,
    attempt: 2,
    usage: 1,
    event: 2,
  })
  const before = await usage(it, 'tenant')
  const forgotten = await it.run('forget', '--tenant', TENANT, '--user', 'milton@initech.test', '--yes')
  expect([forgotten.code, forgotten.err]).toEqual([0, ''])
  expect(forgotten.out).toContain('1 keys, 1 tasks, 2 attempts, 2 lines of the event log deleted')
  expect(await usage(it, 'tenant')).toEqual(before)
  expect(kinds(await exported(it))).toEqual({ key: 1, task: 1, attempt: 1, usage: 2, event: 1 })
  await it.call(peter, 'shared')
  const refused = await fetch(`${it.gateway.url}/v1/models`, { headers: { authorization: `Bearer ${milton}` } })
  expect(refused.status).toBe(401)
  await it.stop()
  for (const name of ['milton', 'stapler']) expect(filesWith(it.dir, name)).toEqual([])
  expect((await it.run('ledger', 'verify')).out).toContain('everything adds up')
  const nobody = await it.run('forget', '--tenant', TENANT, '--user', 'lumbergh', '--yes')
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('belongs to "lumbergh"')])
})

test.each(['running', 'stopped'])(
  'with the service %s a forgotten tenant leaves no name on the disk, its keys are refused, and totals of money stay',
  async (how) => {
    const it = await world()
    const key = await makeKey(it, 'initech-ci', 'milton@initech.test')
    for (const task of ['initech-a', 'initech-b', undefined]) await it.call(key, task, 'initech-kind')
    await it.call('sk-other', 'globex-task')
    await expect.poll(() => filesWith(it.dir, TENANT)).toContain('events.jsonl')
    const before = await usage(it, 'day')
    const models = await usage(it, 'model')
    if (how === 'stopped') await it.stop()
    const { code, out, err } = await it.run('forget', '--tenant', TENANT, '--yes', '--json')
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({ attempts: 3, tasks: 2, keys: 1, events: 3, keysInFile: [] })
    if (how === 'stopped') await it.restart()
    expect([await usage(it, 'day'), await usage(it, 'model')]).toEqual([before, models])
    expect(JSON.stringify(await usage(it, 'tenant'))).toMatch(/"\(forgotten\)"/)
    expect(await exported(it)).toEqual([])
    const refused = await fetch(`${it.gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    expect(refused.status).toBe(401)
    await it.call('sk-other', 'globex-task')
    expect((await it.run('ledger', 'verify')).out).toContain('everything adds up')
    await it.stop()
    for (const name of ['initech', 'milton']) expect(filesWith(it.dir, name)).toEqual([])
    expect((await it.run('ledger', 'verify')).out).toContain('everything adds up')
  },
)

test('nothing is deleted without a yes, and not while a cost is unknown', async () => {
  const it = await killedService()
  const noTerminal = await it.run('forget', '--tenant', 'acme')
  expect([noTerminal.code, noTerminal.err]).toEqual([2, expect.stringContaining('--yes')])
  expect((await it.run('forget', '--yes')).err).toContain('--tenant is missing')
  const gateway = await it.start()
  const unresolved = await it.run('forget', '--tenant', 'acme', '--yes')
  expect([unresolved.code, unresolved.err]).toEqual([2, expect.stringContaining('3 of its attempts are unresolved')])
  expect((await it.run('ledger', 'verify')).out).toContain('6 attempts (3 unresolved)')
  expect((await fetch(`${gateway.url}/v1/models`, { headers: { authorization: 'Bearer sk-test' } })).status).toBe(200)
})
