import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { toNanoUsd, type NanoUsd } from '../shared/money.ts'
import type { KeyRecord } from './key-record.ts'

/** Made keys have a file of their own, so that access does not depend on the ledger's. */
const FILE = 'keys.db'
/** Longest wait for another process that writes; a write of ours takes milliseconds. */
const BUSY_TIMEOUT_MS = 2000
const SCHEMA_VERSION = 2

/** Money and counts are safe integers, so that INTEGER (64 bits) holds each exactly. At most one secret per name has no end. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  tenant TEXT NOT NULL,
  user TEXT,
  max_nano_usd_per_day INTEGER,
  max_nano_usd_per_month INTEGER,
  requests_per_minute INTEGER,
  tokens_per_minute INTEGER,
  concurrency INTEGER,
  models TEXT,
  can_top_up INTEGER NOT NULL,
  metrics INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  rotated_from TEXT REFERENCES keys (id),
  store INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS keys_current_name ON keys (name) WHERE revoked_at_ms IS NULL`
/** What takes a file of that version one step further; new columns come last, as they do in a file that was made with them. */
const UPGRADES: Readonly<Record<number, string>> = {
  1: 'ALTER TABLE keys ADD COLUMN store INTEGER NOT NULL DEFAULT 0',
}

/** Stands for the name and the tenant of a key that was forgotten. */
export const FORGOTTEN_KEY = '(forgotten)'

/** A file of keys that cannot be used; the message is for the operator. */
export class KeyStoreError extends Error {}

/**
 * Made keys in `<dataDir>/keys.db` (SQLite, mode 0600). WAL, and a wait for other writers, let the service and a command have it open at
 * the same time; each commit is flushed to the disk, since a revocation must survive a power cut.
 */
export class KeyStore {
  readonly #db: DatabaseSync
  readonly #all: StatementSync
  readonly #insert: StatementSync
  readonly #revoke: StatementSync
  readonly #version: StatementSync
  readonly #forget: StatementSync

  /** Opens the file, or makes it. Throws KeyStoreError. */
  constructor(dataDir: string) {
    const path = join(dataDir, FILE)
    try {
      // Made before SQLite does, which would use the umask; its -wal and -shm files take over the mode of the main file.
      closeSync(openSync(path, 'a', 0o600))
      chmodSync(path, 0o600)
      this.#db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;')
      if (this.#schemaVersion() < SCHEMA_VERSION) this.write(() => this.#upgrade())
      if (this.#schemaVersion() > SCHEMA_VERSION) throw new Error('it was written by a newer version of switchyard')
      this.#all = this.#db.prepare('SELECT * FROM keys ORDER BY created_at_ms, rowid')
      this.#version = this.#db.prepare('PRAGMA data_version')
      this.#revoke = this.#db.prepare(
        'UPDATE keys SET revoked_at_ms = min(?1, coalesce(revoked_at_ms, ?1)) WHERE id = ?2',
      )
      this.#forget = this.#db.prepare(
        `UPDATE keys SET name = '${FORGOTTEN_KEY}', prefix = '', sha256 = randomblob(32), tenant = '${FORGOTTEN_KEY}', user = NULL,
           max_nano_usd_per_day = NULL, max_nano_usd_per_month = NULL, requests_per_minute = NULL, tokens_per_minute = NULL,
           concurrency = NULL, models = NULL, can_top_up = 0, metrics = 0, store = 0, rotated_from = NULL
         WHERE id = ? AND revoked_at_ms IS NOT NULL`,
      )
      this.#insert = this.#db.prepare(`INSERT INTO keys VALUES (${Array.from({ length: 19 }, () => '?').join(', ')})`)
    } catch (error) {
      throw new KeyStoreError(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`)
    }
  }

  /** Every secret ever made, ended ones too, oldest first. */
  list(): readonly KeyRecord[] {
    return this.#all.all().map(recordOf)
  }

  /** Adds a record. Throws where its name is in use. Within `write`. */
  insert(record: KeyRecord): void {
    const { limits } = record
    this.#insert.run(
      record.id,
      record.name,
      record.prefix,
      record.sha256,
      record.tenant,
      record.user ?? null,
      limits.maxUsdPerDay ?? null,
      limits.maxUsdPerMonth ?? null,
      limits.requestsPerMinute ?? null,
      limits.tokensPerMinute ?? null,
      limits.concurrency ?? null,
      record.models === undefined ? null : JSON.stringify(record.models),
      Number(record.canTopUp),
      Number(record.metrics),
      record.createdAtMs,
      record.expiresAtMs ?? null,
      record.revokedAtMs ?? null,
      record.rotatedFrom ?? null,
      Number(record.store),
    )
  }

  /** Ends a secret at a moment; one that ends earlier already keeps its end. Within `write`. */
  revoke(id: string, atMs: number): void {
    this.#revoke.run(atMs, id)
  }

  /** Takes names, limits and hashes out of the records of ended secrets, and what the write-ahead log has of them. */
  forget(ids: readonly string[]): void {
    this.write(() => {
      for (const id of ids) this.#forget.run(id)
    })
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** Runs reads and writes as one step that no other process can come between. */
  write<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** Changes when another process has written (https://sqlite.org/pragma.html#pragma_data_version); about a microsecond. */
  dataVersion(): number {
    return Number(this.#version.get()?.['data_version'])
  }

  #schemaVersion(): number {
    return Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version'])
  }

  /** Makes the tables of an empty file, or takes an older one over. Within `write`: another process may have been faster. */
  #upgrade(): void {
    const version = this.#schemaVersion()
    if (version === 0) this.#db.exec(SCHEMA)
    else for (let from = version; from < SCHEMA_VERSION; from++) this.#db.exec(UPGRADES[from] ?? '')
    if (version < SCHEMA_VERSION) this.#db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  }

  /** May be called again. */
  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }
}

/** Whether a data directory holds made keys, ended ones included: then callers need a key. Makes no file. Throws KeyStoreError. */
export function hasMadeKeys(dataDir: string): boolean {
  if (!existsSync(join(dataDir, FILE))) return false
  const store = new KeyStore(dataDir)
  try {
    return store.list().length > 0
  } finally {
    store.close()
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>

function recordOf(row: Row): KeyRecord {
  const text = (name: string): string => String(row[name])
  const optional = <T>(name: string, read: (value: SQLOutputValue) => T): T | undefined =>
    row[name] === null || row[name] === undefined ? undefined : read(row[name])
  const usd = (name: string): NanoUsd | undefined => optional(name, (value) => toNanoUsd(Number(value)))
  return {
    id: text('id'),
    name: text('name'),
    prefix: text('prefix'),
    sha256: row['sha256'] as Uint8Array,
    tenant: text('tenant'),
    user: optional('user', String),
    limits: {
      maxUsdPerDay: usd('max_nano_usd_per_day'),
      maxUsdPerMonth: usd('max_nano_usd_per_month'),
      requestsPerMinute: optional('requests_per_minute', Number),
      tokensPerMinute: optional('tokens_per_minute', Number),
      concurrency: optional('concurrency', Number),
    },
    models: optional('models', (value) => JSON.parse(String(value)) as string[]),
    canTopUp: row['can_top_up'] === 1,
    metrics: row['metrics'] === 1,
    store: row['store'] === 1,
    createdAtMs: Number(row['created_at_ms']),
    expiresAtMs: optional('expires_at_ms', Number),
    revokedAtMs: optional('revoked_at_ms', Number),
    rotatedFrom: optional('rotated_from', String),
  }
}
