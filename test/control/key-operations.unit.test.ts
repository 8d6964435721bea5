/** What operators can do with keys, over a real file and an injected clock. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keyOperations, type CreatedKey } from '../../src/control/key-operations.ts'
import { Operations } from '../../src/control/operations.ts'
import type { ShownKey, StaticKey } from '../../src/control/show-key.ts'
import { hashKey } from '../../src/shared/api-key.ts'
import { endOf } from '../../src/store/key-record.ts'
import { KeyStore } from '../../src/store/key-store.ts'

const NOON = Date.parse('2026-11-25T12:00:00Z')

const IN_FILE: StaticKey = {
  name: 'in-file',
  tenant: 'default',
  limits: {
    maxUsdPerDay: undefined,
    maxUsdPerMonth: undefined,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    concurrency: undefined,
  },
  models: undefined,
  canTopUp: false,
  metrics: false,
  store: false,
  expiresAtMs: NOON + 1000,
}

function setup(staticKeys: readonly StaticKey[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-keys-'))
  const store = new KeyStore(dir)
  onTestFinished(() => {
    store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const clock = { now: NOON }
  const events: string[] = []
  const operations = new Operations(
    keyOperations({
      store,
      staticKeys: () => staticKeys,
      modelProblem: (name) => (name === 'auto' ? undefined : `there is no model "${name}".`),
      wallNow: () => clock.now,
      changed: (what, key) => events.push(`${what} ${key.name}`),
    }),
  )
  const call = async <T>(name: string, input: unknown = {}): Promise<T> => (await operations.call(name, input)) as T
  return {
    clock,
    events,
    call,
    create: (input: Record<string, unknown>) => call<CreatedKey>('keys.create', input),
    list: async () => (await call<{ keys: ShownKey[] }>('keys.list')).keys,
    /** Whether this secret would be accepted now. */
    isValid: (secret: string) =>
      store.list().some((each) => endOf(each) > clock.now && Buffer.compare(each.sha256, hashKey(secret)) === 0),
  }
}

describe('create', () => {
  test('gives a secret of 256 bits once, and keeps what was asked for exactly', async () => {
    const { create, list, isValid, events } = setup()
    const made = await create({
      name: 'ci',
      tenant: 'acme',
      user: 'ana',
      max_usd_per_day: 0.1,
      max_usd_per_month: 1.000000001,
      requests_per_minute: 600,
      tokens_per_minute: 100_000,
      concurrency: 4,
      models: ['auto'],
      expires_at: '2027-01-31',
      can_top_up: true,
      metrics: true,
      store: true,
    })
    expect(made.key).toMatch(/^sk-sy-[\w-]{43}$/)
    expect(made.prefix).toBe(made.key.slice(0, 14))
    expect(isValid(made.key)).toBe(true)
    const { key, requires_key_from_now_on, ...shown } = made
    expect(requires_key_from_now_on).toBe(true)
    expect(shown).toMatchObject({
      name: 'ci',
      tenant: 'acme',
      user: 'ana',
      state: 'active',
      max_usd_per_day: 0.1,
      max_nano_usd_per_day: 100_000_000,
      max_usd_per_month: 1.000000001,
      max_nano_usd_per_month: 1_000_000_001,
      requests_per_minute: 600,
      tokens_per_minute: 100_000,
      concurrency: 4,
      models: ['auto'],
      expires_at: '2027-01-31T00:00:00.000Z',
      can_top_up: true,
      metrics: true,
      store: true,
      created_at: '2026-11-25T12:00:00.000Z',
    })
    expect(await list()).toEqual([shown])
    const listed = JSON.stringify(await list())
    expect(listed).not.toContain(key.slice(14))
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(listed).not.toContain(hashKey(key).toString(encoding).slice(0, 16))
    expect(events).toEqual(['created ci'])
  })

  test('only the very first key of all closes an open door', async () => {
    const { create, call } = setup()
    expect((await create({ name: 'a' })).requires_key_from_now_on).toBe(true)
    await call('keys.revoke', { key: 'a' })
    expect((await create({ name: 'b' })).requires_key_from_now_on).toBe(false)
    expect((await setup([IN_FILE]).create({ name: 'a' })).requires_key_from_now_on).toBe(false)
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['a name of the file', { name: 'in-file' }, 'name: the configuration file has a key "in-file".'],
    [
      'a name in use',
      { name: 'ci' },
      'name: there is a key "ci" already. Rotate or revoke it, or choose another name.',
    ],
    [
      'an end in the past',
      { name: 'a', expires_at: '2026-11-25T11:59:59Z' },
      'expires_at: 2026-11-25T11:59:59Z is in the past.',
    ],
    [
      'a time without a zone',
      { name: 'a', expires_at: '2027-01-31T12:00:00' },
      'expires_at: it must be a day or a time with its zone',
    ],
    ['no name', {}, 'name: '],
    ['a control character', { name: 'a\n' }, 'name: a name may not hold control characters.'],
    [
      'half a request',
      { name: 'a', requests_per_minute: 0.5 },
      'requests_per_minute: it must be a whole number of at least 1.',
    ],
    [
      'less than nothing',
      { name: 'a', max_usd_per_day: -1 },
      'max_usd_per_day: it must be dollars between 0 and 9000000.',
    ],
    ['more than integers hold', { name: 'a', max_usd_per_month: 9e15 }, 'max_usd_per_month: it must be dollars'],
    ['a secret of the caller', { name: 'a', key: 'sk-mine' }, 'key: '],
    ['an unknown model', { name: 'a', models: ['auto', 'atuo'] }, 'models: there is no model "atuo".'],
    ['admin rights', { name: 'a', admin: true }, 'admin: '],
    ['a name that an address cannot hold', { name: '..' }, 'name: "." and ".." are no names'],
  ])('%s is refused, and nothing is made', async (_what, input, sentence) => {
    const { create, list } = setup([IN_FILE])
    await create({ name: 'ci' })
    await expect(create(input)).rejects.toThrow(sentence)
    expect(await list()).toHaveLength(2)
  })

  test('the name of a revoked key is free for its own tenant, never for another, and not before it is revoked', async () => {
    const { create, call, clock } = setup()
    await create({ name: 'ci', tenant: 'acme', expires_at: '2026-11-26' })
    clock.now += 86_400_000
    await expect(create({ name: 'ci', tenant: 'acme' })).rejects.toThrow('It has expired: revoke it first')
    await call('keys.revoke', { key: 'ci' })
    await expect(create({ name: 'ci', tenant: 'beta' })).rejects.toThrow('"ci" was a key of tenant "acme"')
    expect((await create({ name: 'ci', tenant: 'acme' })).state).toBe('active')
  })
})

describe('revoke', () => {
  test('by name ends every secret of the key, those in a grace too, and no other', async () => {
    const { create, call, isValid, events } = setup()
    const first = await create({ name: 'ci' })
    const other = await create({ name: 'other' })
    const second = await call<CreatedKey>('keys.rotate', { key: 'ci', grace_seconds: 3600 })
    expect([first, second, other].map(({ key }) => isValid(key))).toEqual([true, true, true])
    await call('keys.revoke', { key: 'ci' })
    expect([first, second, other].map(({ key }) => isValid(key))).toEqual([false, false, true])
    expect(events).toEqual(['created ci', 'created other', 'rotated ci', 'revoked ci', 'revoked ci'])
  })

  test.each(['prefix', 'whole'] as const)('by %s ends that one secret', async (how) => {
    const { create, call, isValid } = setup()
    const first = await create({ name: 'ci' })
    const second = await call<CreatedKey>('keys.rotate', { key: 'ci', grace_seconds: 3600 })
    await call('keys.revoke', { key: how === 'prefix' ? first.prefix : first.key })
    expect([isValid(first.key), isValid(second.key)]).toEqual([false, true])
  })

  test('a second time changes nothing', async () => {
    const { create, call, clock, list } = setup()
    await create({ name: 'ci' })
    await call('keys.revoke', { key: 'ci' })
    clock.now += 1000
    await call('keys.revoke', { key: 'ci' })
    expect((await list())[0]).toMatchObject({ state: 'revoked', revoked_at: '2026-11-25T12:00:00.000Z' })
  })

  test.each([
    ['nobody', 'There is no made key "nobody".'],
    ['in-file', 'It stands in the configuration file: change it there and send SIGHUP.'],
    [`sk-sy-${'x'.repeat(43)}`, 'There is no made key "sk-sy-xxxxxxxx".'],
  ])('of %s is refused, without repeating a secret', async (key, sentence) => {
    const { call } = setup([IN_FILE])
    await expect(call('keys.revoke', { key })).rejects.toThrow(sentence)
    await expect(call('keys.revoke', { key })).rejects.not.toThrow('xxxxxxxxx')
  })
})

describe('rotate', () => {
  test('makes a new secret for the same key and refuses the old one at once', async () => {
    const { create, call, isValid } = setup()
    const first = await create({ name: 'ci', tenant: 'acme', concurrency: 3, expires_at: '2027-01-31' })
    const second = await call<CreatedKey>('keys.rotate', { key: 'ci' })
    expect([isValid(first.key), isValid(second.key)]).toEqual([false, true])
    expect(second).toMatchObject({ name: 'ci', tenant: 'acme', concurrency: 3, rotated_from: first.id })
    expect(second.expires_at).toBe(first.expires_at)
    expect(second.key).not.toBe(first.key)
  })

  test('with a grace the old secret is valid to its last millisecond, and never beyond its own expiry', async () => {
    const { create, call, isValid, clock, list } = setup()
    const first = await create({ name: 'ci' })
    const short = await create({ name: 'short', expires_at: '2026-11-25T12:00:05Z' })
    await call('keys.rotate', { key: 'ci', grace_seconds: 10 })
    await call('keys.rotate', { key: 'short', grace_seconds: 10 })
    expect((await list())[0]).toMatchObject({ state: 'replaced', revoked_at: '2026-11-25T12:00:10.000Z' })
    clock.now = NOON + 5000
    expect([isValid(first.key), isValid(short.key)]).toEqual([true, false])
    clock.now = NOON + 9999
    expect(isValid(first.key)).toBe(true)
    clock.now = NOON + 10_000
    expect(isValid(first.key)).toBe(false)
  })

  test('does not bring a revoked or expired key back', async () => {
    const { create, call, clock } = setup()
    await create({ name: 'gone' })
    await call('keys.revoke', { key: 'gone' })
    await create({ name: 'old', expires_at: '2026-11-25T12:00:01Z' })
    clock.now += 1000
    await expect(call('keys.rotate', { key: 'gone' })).rejects.toThrow('The key "gone" has ended.')
    await expect(call('keys.rotate', { key: 'old' })).rejects.toThrow('The key "old" has ended.')
  })
})

test('the list has the keys of the file too, with their state', async () => {
  const { list, clock } = setup([IN_FILE])
  expect(await list()).toMatchObject([{ name: 'in-file', source: 'file', prefix: null, state: 'active' }])
  clock.now += 1000
  expect(await list()).toMatchObject([{ state: 'expired' }])
})

test('an operation that there is not, is not found', async () => {
  await expect(setup().call('keys.steal')).rejects.toMatchObject({ code: 'not_found' })
  await expect(setup().call('constructor')).rejects.toMatchObject({ code: 'not_found' })
})
