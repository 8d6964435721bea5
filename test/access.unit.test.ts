/** Who may call, from file and made keys: what the steps get to know of a caller, and what a change does and does not touch. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Access } from '../src/access.ts'
import { loadConfig } from '../src/config/load.ts'
import type { Config } from '../src/config/config.ts'
import type { CreatedKey } from '../src/control/key-operations.ts'
import { Operations } from '../src/control/operations.ts'
import { hashKey } from '../src/shared/api-key.ts'
import { KeyStore } from '../src/store/key-store.ts'

const NOON = Date.parse('2026-11-25T12:00:00Z')

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-access-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function load(dir: string, text: string): Promise<Config> {
  writeFileSync(join(dir, 'switchyard.yaml'), `${text}\ndataDir: .\n`)
  return loadConfig({ simulate: true }, { env: {}, cwd: dir })
}

async function setup(text: string) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const dir = folder()
  const clock = { wall: NOON }
  const events: unknown[] = []
  let changes = 0
  const access = new Access(await load(dir, text), {
    adminSha256: hashKey('sk-fake-admin'),
    now: () => 1,
    wallNow: () => clock.wall,
    onChange: () => (changes += 1),
    onEvent: (event) => events.push(event),
  })
  onTestFinished(() => access.close())
  const operations = new Operations(access.operations)
  return {
    access,
    clock,
    dir,
    events,
    changes: () => changes,
    caller: (key: string) => access.keyring.authenticate(undefined, key),
    create: async (input: object) => (await operations.call('keys.create', input)) as CreatedKey,
  }
}

test('the ledger learns the limits of the key and of its tenant, for keys of the file and made ones alike', async () => {
  const { caller, create } = await setup(`keys:
  - { name: a, key: sk-fake-a, tenant: acme, maxUsdPerDay: 20, maxUsdPerMonth: 100, canTopUp: true }
  - { name: b, key: sk-fake-b }
tenants: { acme: { maxUsdPerDay: 50 } }`)
  const made = await create({ name: 'c', tenant: 'acme', user: 'ana', max_usd_per_month: 7, models: ['auto'] })
  expect(caller('sk-fake-a')).toMatchObject({
    tenant: 'acme',
    key: 'a',
    spendLimits: { perDay: 20_000_000_000, perMonth: 100_000_000_000 },
    tenantSpendLimits: { perDay: 50_000_000_000 },
    canTopUp: true,
  })
  expect(caller('sk-fake-b')).toMatchObject({
    tenant: 'default',
    spendLimits: {},
    tenantSpendLimits: {},
    canTopUp: false,
  })
  expect(caller(made.key)).toMatchObject({
    tenant: 'acme',
    key: 'c',
    user: 'ana',
    spendLimits: { perMonth: 7_000_000_000 },
    tenantSpendLimits: { perDay: 50_000_000_000 },
    models: new Set(['auto']),
  })
})

test('who needs no key is the tenant "default", with the limits of that tenant', async () => {
  const { access } = await setup('tenants: { default: { maxUsdPerDay: 1 } }')
  expect(access.keyring.authenticate(undefined, undefined)).toMatchObject({
    tenant: 'default',
    key: 'anonymous',
    tenantSpendLimits: { perDay: 1_000_000_000 },
    canTopUp: false,
  })
})

test('without a change the keyring stays the same object; a change, an end, and another process make another', async () => {
  const { access, clock, create, dir, changes } = await setup('keys: [{ name: a, key: sk-fake-a }]')
  const look = (): object => {
    vi.advanceTimersByTime(500)
    return access.keyring
  }
  const first = look()
  expect(look()).toBe(first)
  await create({ name: 'b', expires_at: '2026-11-25T12:00:10Z' })
  const second = access.keyring
  expect(second).not.toBe(first)
  expect(look()).toBe(second)
  clock.wall = NOON + 10_000
  const third = look()
  expect(third).not.toBe(second)
  expect(look()).toBe(third)
  const store = new KeyStore(dir)
  store.write(() => store.revoke(store.list()[0]!.id, NOON))
  store.close()
  expect(look()).not.toBe(third)
  expect(changes()).toBe(3)
})

test('what was used in the last minute counts on after a reload and after another key is made', async () => {
  const { access, caller, create, dir } = await setup('keys: [{ name: a, key: sk-fake-a, requestsPerMinute: 2 }]')
  caller('sk-fake-a').limiter?.admit(0)
  await create({ name: 'b' })
  access.reload(await load(dir, 'keys: [{ name: a, key: sk-fake-a, requestsPerMinute: 3 }]'))
  const { limiter } = caller('sk-fake-a')
  expect(limiter?.standing()).toMatchObject([{ of: 'requests', remaining: 2 }])
})

test('a reload that gives a key of the file the name of a made one changes nothing', async () => {
  const { access, caller, create, dir } = await setup('keys: [{ name: a, key: sk-fake-a }]')
  const made = await create({ name: 'b' })
  const next = await load(dir, 'keys: [{ name: b, key: sk-fake-b }]')
  expect(() => access.reload(next)).toThrow('keys.0.name: a key made by command has this name or secret ("b").')
  expect([caller('sk-fake-a').key, caller(made.key).key]).toEqual(['a', 'b'])
  expect(() => caller('sk-fake-b')).toThrow('missing or unknown')
})

test('a made key copied into the file is refused there, also after it was revoked', async () => {
  const { access, create, dir } = await setup('keys: [{ name: a, key: sk-fake-a }]')
  const made = await create({ name: 'b' })
  await new Operations(access.operations).call('keys.revoke', { key: 'b' })
  const next = await load(dir, `keys: [{ name: c, key: "${made.key}" }]`)
  expect(() => access.reload(next)).toThrow('("b")')
})

test('keys that cannot be read leave the last state in force, and the log says so', async () => {
  const { events, caller, create } = await setup('keys: [{ name: a, key: sk-fake-a }]')
  const made = await create({ name: 'b' })
  const broken = vi.spyOn(KeyStore.prototype, 'dataVersion').mockImplementation(() => {
    throw new Error('disk I/O error')
  })
  onTestFinished(() => broken.mockRestore())
  vi.advanceTimersByTime(2000)
  expect([caller('sk-fake-a').key, caller(made.key).key]).toEqual(['a', 'b'])
  expect(events).toMatchObject([
    { what: 'created' },
    { what: 'cannot be read, the last state counts', detail: 'Error: disk I/O error' },
  ])
})
