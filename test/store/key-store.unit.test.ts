/** Made keys on the disk: what is written comes back, two processes may have the file open, and nobody else may read it. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { newApiKey } from '../../src/shared/api-key.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import type { KeyRecord } from '../../src/store/key-record.ts'
import { hasMadeKeys, KeyStore, KeyStoreError } from '../../src/store/key-store.ts'

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-keys-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function open(dir: string): KeyStore {
  const store = new KeyStore(dir)
  onTestFinished(() => store.close())
  return store
}

let ids = 0
function record(changes: Partial<KeyRecord> = {}): KeyRecord {
  const { prefix, sha256 } = newApiKey()
  ids += 1
  return {
    id: `key_${ids}`,
    name: `key ${ids}`,
    prefix,
    sha256: new Uint8Array(sha256),
    tenant: 'acme',
    user: undefined,
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
    createdAtMs: ids,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    rotatedFrom: undefined,
    ...changes,
  }
}

const count = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined })
const usd = fc.option(fc.maxSafeNat().map(toNanoUsd), { nil: undefined })
const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => !each.includes('\0'))
const anyRecord = fc
  .record({
    name: text,
    tenant: text,
    user: fc.option(text, { nil: undefined }),
    limits: fc.record({
      maxUsdPerDay: usd,
      maxUsdPerMonth: usd,
      requestsPerMinute: count,
      tokensPerMinute: count,
      concurrency: count,
    }),
    models: fc.option(fc.array(text), { nil: undefined }),
    canTopUp: fc.boolean(),
    metrics: fc.boolean(),
    store: fc.boolean(),
    expiresAtMs: count,
    revokedAtMs: count,
  })
  .map(record)

test('every record comes back as it was written, to the nano-dollar, also after the file was closed', () => {
  fc.assert(
    fc.property(anyRecord, (written) => {
      const dir = mkdtempSync(join(tmpdir(), 'switchyard-keys-'))
      try {
        const store = new KeyStore(dir)
        store.write(() => store.insert(written))
        store.close()
        const again = new KeyStore(dir)
        expect(again.list()).toEqual([written])
        again.close()
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    }),
    { numRuns: 30 },
  )
})

test('the file, its log and its index are readable by their owner only', () => {
  const dir = folder()
  const store = open(dir)
  store.write(() => store.insert(record()))
  const modes = ['keys.db', 'keys.db-wal', 'keys.db-shm'].map((name) => statSync(join(dir, name)).mode & 0o777)
  expect(modes).toEqual([0o600, 0o600, 0o600])
})

test('a file that others could read is closed to them', () => {
  const dir = folder()
  writeFileSync(join(dir, 'keys.db'), '', { mode: 0o666 })
  open(dir)
  expect(statSync(join(dir, 'keys.db')).mode & 0o777).toBe(0o600)
})

test('two current secrets never share a name, and a step that fails leaves nothing behind', () => {
  const store = open(folder())
  const first = record({ name: 'ci' })
  store.write(() => store.insert(first))
  expect(() =>
    store.write(() => {
      store.insert(record({ name: 'other' }))
      store.insert(record({ name: 'ci' }))
    }),
  ).toThrow('UNIQUE')
  expect(store.list()).toEqual([first])
  store.write(() => {
    store.revoke(first.id, 5)
    store.insert(record({ name: 'ci' }))
  })
  expect(store.list().map(({ revokedAtMs }) => revokedAtMs)).toEqual([5, undefined])
})

test('an end is only ever moved forward in time', () => {
  const store = open(folder())
  const { id } = record()
  store.write(() => store.insert(record({ id })))
  for (const [at, end] of [
    [900, 900],
    [1000, 900],
    [500, 500],
  ] as const) {
    store.write(() => store.revoke(id, at))
    expect(store.list()[0]?.revokedAtMs).toBe(end)
  }
})

test('what another process wrote is seen by its version and in the list, what this one wrote is no news', () => {
  const dir = folder()
  const [service, command] = [open(dir), open(dir)]
  const before = service.dataVersion()
  service.write(() => service.insert(record()))
  expect(service.dataVersion()).toBe(before)
  command.write(() => command.insert(record({ name: 'by command' })))
  expect(service.dataVersion()).not.toBe(before)
  expect(service.list().map(({ name }) => name)).toContain('by command')
})

test('a directory has made keys as soon as one was ever made, and looking makes no file', () => {
  const dir = folder()
  expect(hasMadeKeys(dir)).toBe(false)
  expect(() => statSync(join(dir, 'keys.db'))).toThrow('ENOENT')
  const store = open(dir)
  expect(hasMadeKeys(dir)).toBe(false)
  store.write(() => store.insert(record({ revokedAtMs: 1 })))
  expect(hasMadeKeys(dir)).toBe(true)
})

test.each([
  ['no database', 'this is text, and long enough to be taken for a header'.repeat(4)],
  ['a folder that is not there', undefined],
])('%s is refused with a sentence that names the file', (_what, content) => {
  const dir = content === undefined ? join(folder(), 'nowhere') : folder()
  if (content !== undefined) writeFileSync(join(dir, 'keys.db'), content)
  expect(() => new KeyStore(dir)).toThrow(KeyStoreError)
  expect(() => new KeyStore(dir)).toThrow(/keys\.db cannot be used: /)
})

test('a file of the first version is taken over with its keys, by two processes at once, and new keys come after them', () => {
  const dir = folder()
  const old = new DatabaseSync(join(dir, 'keys.db'))
  // As version 1 made it.
  old.exec(`CREATE TABLE keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, prefix TEXT NOT NULL,
      sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32), tenant TEXT NOT NULL, user TEXT, max_nano_usd_per_day INTEGER,
      max_nano_usd_per_month INTEGER, requests_per_minute INTEGER, tokens_per_minute INTEGER, concurrency INTEGER, models TEXT,
      can_top_up INTEGER NOT NULL, metrics INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER,
      revoked_at_ms INTEGER, rotated_from TEXT REFERENCES keys (id)) STRICT;
    CREATE UNIQUE INDEX keys_current_name ON keys (name) WHERE revoked_at_ms IS NULL;
    PRAGMA user_version = 1`)
  const first = record({ name: 'old', canTopUp: true, metrics: true, models: ['auto'], user: 'ana' })
  old
    .prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL, ?, 1, 1, ?, NULL, NULL, NULL)')
    .run(first.id, 'old', first.prefix, first.sha256, 'acme', 'ana', '["auto"]', first.createdAtMs)
  old.close()
  const [service, command] = [open(dir), open(dir)]
  expect(service.list()).toEqual([first])
  const second = record({ name: 'new', store: true, rotatedFrom: first.id })
  command.write(() => command.insert(second))
  expect(service.list()).toEqual([first, second])
  const version = new DatabaseSync(join(dir, 'keys.db'), { readOnly: true })
  expect(version.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 })
  version.close()
})

test('a file of a newer version is left alone', () => {
  const dir = folder()
  new KeyStore(dir).close()
  const path = join(dir, 'keys.db')
  const bytes = readFileSync(path)
  // user_version: https://sqlite.org/fileformat.html, section 1.3.
  bytes.writeUInt32BE(99, 60)
  writeFileSync(path, bytes)
  expect(() => new KeyStore(dir)).toThrow('it was written by a newer version of switchyard')
})
