/** Stored responses of a real service: written out, forgotten, and gone when they are old. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { RESPONSES_FILE, ResponseStore } from '../../src/store/response-store.ts'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { runCommand } from '../support/run-command.ts'

const DAY_MS = 86_400_000
const SECRET = 'the stapler is red'
const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }

async function start(dir: string, more = ''): Promise<GatewayProcess> {
  const { url } = await startFakeUpstream(say('Noted'))
  const config = configFor({ small: url }, more).replace('tenant: acme', 'tenant: acme, store: true')
  return startGatewayProcess({ config, env: ENV, dir })
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-stored-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const HEADERS = { authorization: 'Bearer sk-test', 'content-type': 'application/json' }
async function create({ url }: GatewayProcess, key = 'sk-test'): Promise<string> {
  const body = JSON.stringify({ model: 'small', input: SECRET })
  const headers = { ...HEADERS, authorization: `Bearer ${key}` }
  const reply = await fetch(`${url}/v1/responses`, { method: 'POST', headers, body })
  return ((await reply.json()) as { id: string }).id
}
async function statusOf({ url }: GatewayProcess, id: string, key = 'sk-test'): Promise<number> {
  const headers = { ...HEADERS, authorization: `Bearer ${key}` }
  const reply = await fetch(`${url}/v1/responses/${id}`, { headers })
  await reply.text()
  return reply.status
}

function filesWith(dir: string, text: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map(({ name }) => name)
}

test.each(['while the service runs', 'while none runs'])(
  'an export has the stored responses of a tenant, and forget leaves no byte of them, %s',
  async (when) => {
    const dir = folder()
    const gateway = await start(dir)
    const id = await create(gateway)
    expect(await statusOf(gateway, id)).toBe(200)
    expect(filesWith(dir, SECRET)).not.toEqual([])
    const run = (...args: readonly string[]): ReturnType<typeof runCommand> => runCommand(args, { cwd: dir, env: ENV })
    if (when === 'while none runs') {
      gateway.signal('SIGTERM')
      expect(await gateway.exited).toBe(0)
    }
    const exported = await run('export', '--tenant', 'acme')
    const records = exported.out
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { type: string }]))
    expect(records.filter(({ type }) => type === 'response')).toMatchObject([
      { key: 'ci', input: [{ role: 'user', content: [{ text: SECRET }] }], response: { id, store: true } },
    ])
    const forgotten = await run('forget', '--tenant', 'acme', '--yes')
    expect(forgotten.out).toContain('1 stored responses')
    if (when === 'while the service runs') expect(await statusOf(gateway, id)).toBe(404)
    expect(filesWith(dir, SECRET)).toEqual([])
  },
)

test('a made key stores with --store alone, its successor as well, and what a user has stored is forgotten with the user', async () => {
  const dir = folder()
  const gateway = await start(dir)
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await runCommand(args, { cwd: dir, env: ENV })
    expect([args, code, err]).toEqual([args, 0, expect.anything()])
    return out.trim()
  }
  const keep = await run('keys', 'create', '--name', 'keep', '--tenant', 'globex', '--user', 'ana', '--store')
  const none = await run('keys', 'create', '--name', 'none', '--tenant', 'globex', '--user', 'ana')
  const id = await create(gateway, keep)
  expect(await statusOf(gateway, id, keep)).toBe(200)
  expect(await statusOf(gateway, await create(gateway, none), none)).toBe(404)
  const listed = await run('keys', 'list')
  expect(listed).toMatch(/^keep .* may store responses$/m)
  expect(listed).not.toMatch(/^none .*store/m)
  expect(await statusOf(gateway, await create(gateway, await run('keys', 'rotate', 'keep')), none)).toBe(200)
  expect(await run('forget', '--tenant', 'globex', '--user', 'ana', '--yes')).toContain('2 stored responses')
  expect(filesWith(dir, SECRET)).toEqual([])
})

test('what is older than responsesDays goes soon after the start, the rest stays', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'data'), { mode: 0o700 })
  const store = new ResponseStore(join(dir, 'data', RESPONSES_FILE))
  const row = { tenant: 'acme', key: 'ci', previous: undefined, body: '{}', input: [], output: [] }
  for (let n = 0; n < 50; n++) store.add({ ...row, id: `resp_old${n}`, createdMs: Date.now() - 8 * DAY_MS })
  store.add({ ...row, id: 'resp_young', createdMs: Date.now() - 6 * DAY_MS })
  store.close()
  const gateway = await start(dir, 'retention: { responsesDays: 7 }')
  await expect.poll(() => statusOf(gateway, 'resp_old49'), { timeout: 10_000 }).toBe(404)
  expect(await statusOf(gateway, 'resp_young')).toBe(200)
})

test('a damaged file of responses keeps no service from starting, and no answer from going out', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'data'), { mode: 0o700 })
  writeFileSync(join(dir, 'data', RESPONSES_FILE), 'This is no database. '.repeat(500), { mode: 0o600 })
  const gateway = await start(dir)
  const body = JSON.stringify({ model: 'small', input: 'Hi' })
  const reply = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers: HEADERS, body })
  expect([reply.status, await reply.json()]).toMatchObject([200, { status: 'completed', store: false }])
  expect(await statusOf(gateway, 'resp_1')).toBe(503)
  expect(gateway.output()).toContain('cannot be stored')
})
