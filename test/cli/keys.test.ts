/** Keys as an operator handles them: a real service, real commands, and what callers then see. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ShownKey } from '../../src/control/show-key.ts'
import { hashKey } from '../../src/shared/api-key.ts'
import { KeyStore } from '../../src/store/key-store.ts'
import { say, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
const CONFIG = configFor({ small: 'http://127.0.0.1:9' })
const KEYLESS = CONFIG.replace(/keys:[^]*$/, '')

function start(config = CONFIG, more: { dir?: string; flags?: readonly string[] } = {}): Promise<GatewayProcess> {
  return startGatewayProcess({ config, env: ENV, ...more })
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-keys-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function keys(dir: string, ...args: readonly string[]): Promise<CommandResult> {
  return runCommand(['keys', ...args, '--data-dir', join(dir, 'data')], { cwd: dir })
}

/** Makes a key and gives the secret. */
async function create(dir: string, name: string, ...flags: readonly string[]): Promise<string> {
  const { code, out, err } = await keys(dir, 'create', '--name', name, ...flags)
  expect([code, err]).toEqual([0, expect.stringContaining('shown this once')])
  return out.trim()
}

async function list(dir: string): Promise<readonly ShownKey[]> {
  return JSON.parse((await keys(dir, 'list', '--json')).out) as ShownKey[]
}

async function status(gateway: GatewayProcess, key?: string): Promise<number> {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return (await fetch(`${gateway.url}/v1/models`, { headers })).status
}

describe('with the service running', () => {
  test('a new key works at once, and from the first one on nobody gets in without', async () => {
    const gateway = await start(KEYLESS)
    expect(await status(gateway)).toBe(200)
    expect(gateway.output()).toContain('no keys: everybody on this machine may use it')

    const { out, err } = await keys(gateway.dir, 'create', '--name', 'ci')
    expect([await status(gateway, out.trim()), await status(gateway), await status(gateway, 'sk-sy-wrong')]).toEqual([
      200, 401, 401,
    ])
    expect(err).toContain('from now on callers need one')

    await keys(gateway.dir, 'revoke', 'ci')
    expect([await status(gateway, out.trim()), await status(gateway)]).toEqual([401, 401])
  })

  test('a revoked key is refused with the next request, and others are not', async () => {
    const gateway = await start()
    const [ci, other] = [await create(gateway.dir, 'cd'), await create(gateway.dir, 'other')]
    expect(await status(gateway, ci)).toBe(200)
    const { code, out, err } = await keys(gateway.dir, 'revoke', ci)
    expect([await status(gateway, ci), await status(gateway, other), await status(gateway, 'sk-test')]).toEqual([
      401, 200, 200,
    ])
    expect([code, err]).toEqual([0, 'The running service knows it.\n'])
    expect(out).toContain(`${ci.slice(0, 14)} of "cd" revoked`)
    expect(out).not.toContain(ci.slice(14))
  })

  test('what another process writes past the service is in force within a second', async () => {
    const gateway = await start()
    const key = await create(gateway.dir, 'cd')
    const store = new KeyStore(join(gateway.dir, 'data'))
    const [record] = store.list()
    store.write(() => store.revoke(record!.id, Date.now()))
    const writtenMs = performance.now()
    store.close()
    await expect.poll(() => status(gateway, key), { timeout: 5000, interval: 10 }).toBe(401)
    expect(performance.now() - writtenMs).toBeLessThan(1000)
    await expect.poll(() => gateway.output()).toContain('changed by another process')
  })

  test('rotation: the old secret works for its grace and no longer, the new one from the start', async () => {
    const gateway = await start()
    const old = await create(gateway.dir, 'cd', '--tenant', 'acme')
    const { out, err } = await keys(gateway.dir, 'rotate', 'cd', '--grace', '3')
    const next = out.trim()
    expect(err).toContain('the old secret is valid for another 3 s')
    expect([await status(gateway, old), await status(gateway, next)]).toEqual([200, 200])
    const graceEnds = Date.parse((await list(gateway.dir)).find(({ state }) => state === 'replaced')?.revoked_at ?? '')
    await expect.poll(() => status(gateway, old), { timeout: 5000, interval: 20 }).toBe(401)
    expect(Date.now()).toBeGreaterThanOrEqual(graceEnds)
    expect(await status(gateway, next)).toBe(200)
  })

  test('a key is refused from its expiry on', async () => {
    const gateway = await start()
    const expiresAt = new Date(Date.now() + 2500).toISOString()
    const key = await create(gateway.dir, 'cd', '--expires-at', expiresAt)
    expect(await status(gateway, key)).toBe(200)
    await expect.poll(() => status(gateway, key), { timeout: 5000, interval: 20 }).toBe(401)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt))
    expect((await list(gateway.dir)).find(({ name }) => name === 'cd')?.state).toBe('expired')
  })
})

describe('with no service running', () => {
  test('keys are made, listed and revoked in the data directory, and count from the next start on', async () => {
    const dir = folder()
    const [kept, gone] = [await create(dir, 'kept'), await create(dir, 'gone')]
    const { err } = await keys(dir, 'revoke', 'gone')
    expect(err).toContain('No service runs on')
    const gateway = await start(KEYLESS, { dir })
    expect([await status(gateway, kept), await status(gateway, gone), await status(gateway)]).toEqual([200, 401, 401])
    expect(gateway.output()).toContain('callers need a key: 0 in the file, 1 made by command')
  })

  test('of commands that race for a name one wins, and the others say so', async () => {
    const dir = folder()
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
    const race = Array.from({ length: 6 }, async () => {
      const args = [main, 'keys', 'create', '--name', 'ci', '--data-dir', join(dir, 'data')]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: dir, env: {} })
      const [err, [code]] = await Promise.all([child.stderr.toArray(), once(child, 'exit')])
      return [code as number, err.join('')] as const
    })
    const ended = await Promise.all(race)
    expect(ended.filter(([code]) => code === 0)).toHaveLength(1)
    for (const [code, err] of ended) if (code !== 0) expect(err).toContain('there is a key "ci" already')
    expect(await list(dir)).toHaveLength(1)
  })

  test('a made key is what an address beyond loopback needs, also when it has been revoked since', async () => {
    const dir = folder()
    const flags = ['--host', '0.0.0.0']
    await expect(start(KEYLESS, { dir, flags })).rejects.toThrow('only a loopback address is allowed')
    await create(dir, 'ci')
    await keys(dir, 'revoke', 'ci')
    const gateway = await start(KEYLESS, { dir, flags })
    expect((await fetch(`http://127.0.0.1:${gateway.port}/v1/models`)).status).toBe(401)
    expect(gateway.output()).toContain('all made keys have ended')
  })

  test('after a kill -9 the socket that is left misleads nobody, and the next start has every key', async () => {
    const first = await start()
    const key = await create(first.dir, 'cd')
    first.signal('SIGKILL')
    await first.exited
    expect(existsSync(join(first.dir, 'data/control.sock'))).toBe(true)
    expect((await list(first.dir)).map(({ name, source }) => [name, source])).toEqual([
      ['ci', 'file'],
      ['cd', 'made'],
    ])

    const second = await start(CONFIG, { dir: first.dir })
    expect(await status(second, key)).toBe(200)
    await keys(second.dir, 'revoke', 'cd')
    expect(await status(second, key)).toBe(401)
    second.signal('SIGTERM')
    expect(await second.exited).toBe(0)
    // No socket and no write-ahead log: everything was closed.
    expect(readdirSync(join(second.dir, 'data')).toSorted()).toEqual([
      'admin.key',
      'keys.db',
      'ledger.sqlite',
      'service.lock',
    ])
  })
})

test('no secret and no hash of one is in any list, log line or file', async () => {
  const upstream = await startFakeUpstream(say('Hello'))
  const gateway = await start(configFor({ small: upstream.url }))
  const [made, rotated] = [await create(gateway.dir, 'cd'), (await keys(gateway.dir, 'rotate', 'cd')).out.trim()]
  for (const key of [made, rotated]) {
    await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }] }),
    })
  }
  await expect.poll(() => gateway.output(), { timeout: 3000 }).toContain('"event":"request"')
  const table = (await keys(gateway.dir, 'list')).out
  const revoked = await keys(gateway.dir, 'revoke', made)
  const shown = [table, JSON.stringify(await list(gateway.dir)), revoked.out, revoked.err, gateway.output()].join('\n')
  const files = readdirSync(gateway.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  expect(files.length).toBeGreaterThan(3)
  expect(gateway.output()).toContain(`"event":"key","what":"created","name":"cd","prefix":"${made.slice(0, 14)}"`)
  for (const key of [made, rotated]) {
    expect(table).toContain(key.slice(0, 14))
    expect(shown).not.toContain(key.slice(14))
    expect(shown).not.toMatch(new RegExp(hashKey(key).toString('hex'), 'i'))
    for (const bytes of files) expect(bytes.includes(key.slice(14))).toBe(false)
  }
})

describe('over HTTP', () => {
  const remote = (gateway: GatewayProcess, adminKey: string, ...args: readonly string[]): Promise<CommandResult> =>
    runCommand(['keys', ...args, '--url', gateway.url], { cwd: tmpdir(), env: { SWITCHYARD_ADMIN_KEY: adminKey } })

  test('the admin key makes, lists, rotates and revokes keys', async () => {
    const gateway = await start()
    const admin = readFileSync(join(gateway.dir, 'data/admin.key'), 'utf8')
    const key = (await remote(gateway, admin, 'create', '--name', 'a/b %?', '--models', 'small,auto')).out.trim()
    expect(await status(gateway, key)).toBe(200)
    const next = (await remote(gateway, admin, 'rotate', 'a/b %?')).out.trim()
    expect([await status(gateway, key), await status(gateway, next)]).toEqual([401, 200])
    expect((await remote(gateway, admin, 'list')).out).toMatch(
      /a\/b %\? +sk-sy-\S{8} +default +active .*models small auto/,
    )
    expect((await remote(gateway, admin, 'revoke', 'a/b %?')).code).toBe(0)
    expect(await status(gateway, next)).toBe(401)
    const misspelt = await remote(gateway, admin, 'create', '--name', 'b', '--models', 'smal')
    expect([misspelt.code, misspelt.err]).toEqual([2, '--models: there is no model "smal". Did you mean "small"?\n'])
    expect((await remote(gateway, admin, 'revoke', 'nobody')).err).toContain('There is no made key "nobody".')
  })

  test('nobody else can make keys: no caller, whatever its key may do, and no one where none is needed', async () => {
    const gateway = await start()
    const key = await create(gateway.dir, 'strong', '--can-top-up', '--metrics')
    const asStrong = await remote(gateway, key, 'create', '--name', 'mine')
    expect([asStrong.code, asStrong.err]).toEqual([2, expect.stringContaining('This needs the admin key')])
    const asNobody = await remote(gateway, 'sk-wrong', 'create', '--name', 'mine')
    expect([asNobody.code, asNobody.err]).toEqual([2, expect.stringContaining('missing or unknown')])
    expect((await list(gateway.dir)).map(({ name }) => name)).toEqual(['ci', 'strong'])

    const open = await start(KEYLESS)
    const headers = { 'content-type': 'application/json' }
    const post = { method: 'POST', headers, body: JSON.stringify({ name: 'mine' }) }
    expect((await fetch(`${open.url}/v1/admin/keys`, post)).status).toBe(401)
    expect((await fetch(`${open.url}/v1/admin/keys`)).status).toBe(401)
    expect(await list(open.dir)).toEqual([])
  })

  test('an answer with a secret may be stored by nobody on the way, and a wrong input names its field', async () => {
    const gateway = await start()
    const admin = readFileSync(join(gateway.dir, 'data/admin.key'), 'utf8').trim()
    const post = (body: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/admin/keys`, {
        method: 'POST',
        headers: { 'x-api-key': admin, 'content-type': 'application/json' },
        body,
      })
    expect((await post('{"name":"cd"}')).headers.get('cache-control')).toBe('no-store')
    const wrong = await post('{"name":"ce","max_usd_per_day":"20"}')
    expect([wrong.status, ((await wrong.json()) as { error: { param: string } }).error.param]).toEqual([
      400,
      'max_usd_per_day',
    ])
    expect((await post('[]')).status).toBe(400)
    expect((await post('')).status).toBe(400)
    expect((await post('{"name":"cd"}')).status).toBe(409)
  })

  test('a service that is not there is 69, a wrong address is usage', async () => {
    const call = (...args: readonly string[]): Promise<CommandResult> =>
      runCommand(['keys', 'list', ...args], { cwd: tmpdir(), env: { SWITCHYARD_ADMIN_KEY: 'sk-fake-admin' } })
    expect((await call('--url', 'http://127.0.0.1:9')).code).toBe(69)
    for (const url of ['127.0.0.1:4000', 'ftp://127.0.0.1', 'http://admin:sk-fake@127.0.0.1'])
      expect((await call('--url', url)).code).toBe(2)
  })
})

describe('the file and made keys', () => {
  test('never share a name: refused at create, at the start, and by a reload, which keeps the old file', async () => {
    const gateway = await start(KEYLESS)
    const key = await create(gateway.dir, 'ci')
    const file = join(gateway.dir, 'switchyard.yaml')
    writeFileSync(file, CONFIG)
    gateway.signal('SIGHUP')
    await expect.poll(() => gateway.output(), { timeout: 5000 }).toContain('the old one stays in force')
    expect([await status(gateway, key), await status(gateway, 'sk-test')]).toEqual([200, 401])
    expect(gateway.output()).toContain('keys.0.name: a key made by command has this name or secret ("ci")')
    gateway.signal('SIGTERM')
    await gateway.exited
    await expect(start(CONFIG, { dir: gateway.dir })).rejects.toThrow(/ended with 2[^]*keys\.0\.name/)

    const other = await start(CONFIG)
    const refused = await keys(other.dir, 'create', '--name', 'ci')
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('the configuration file has a key "ci"')])
    other.signal('SIGKILL')
    await other.exited
    const alone = await runCommand(['keys', 'create', '--name', 'ci', '--data-dir', 'data'], { cwd: other.dir })
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('the configuration file has a key "ci"')])
  })

  test('a second service on the same data directory is refused', async () => {
    const gateway = await start()
    await expect(start(CONFIG, { flags: ['--data-dir', join(gateway.dir, 'data')] })).rejects.toThrow(
      /ended with 2[^]*dataDir: another switchyard runs on/,
    )
    expect(await status(gateway, 'sk-test')).toBe(200)
  })
})
