import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openSqliteFile } from './sqlite-file.ts'

/** File name in the data directory. */
export const RESPONSES_FILE = 'responses.sqlite'
/** Longest conversation that is read back, characters of JSON; far more than any model takes. */
const MAX_CHARS = 64 * 1024 * 1024
/** Longest chain of responses that is followed. */
const MAX_CHAIN = 10_000
/** Responses per step of a deletion. */
const STEP = 20

/** `side` 0 = what was new in the request, 1 = what the model answered. Items go with their response. */
const SCHEMA = `
CREATE TABLE responses (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  previous TEXT,
  created_ms INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX responses_of_key ON responses (tenant, key);
CREATE INDEX responses_by_time ON responses (created_ms);
CREATE TABLE items (
  response TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
  side INTEGER NOT NULL,
  at INTEGER NOT NULL,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (response, side, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_id ON items (tenant, id)`

/** The chain of a response and those before it, the newest with depth 0. Another tenant's ends it. */
const CHAIN = `WITH RECURSIVE chain (id, previous, depth) AS (
  SELECT id, previous, 0 FROM responses WHERE id = ?1 AND tenant = ?2
  UNION ALL SELECT r.id, r.previous, depth + 1 FROM responses r JOIN chain c ON r.id = c.previous
    WHERE r.tenant = ?2 AND depth < ${MAX_CHAIN})`

/** Stored text is longer than may be read back at once. */
export class ConversationTooLong extends Error {}

export interface ResponseRow {
  readonly id: string
  readonly tenant: string
  /** Name of the key that asked for it. */
  readonly key: string
  readonly previous: string | undefined
  readonly createdMs: number
  /** JSON text. */
  readonly body: string
  readonly input: readonly ItemRow[]
  readonly output: readonly ItemRow[]
}
export interface ItemRow {
  readonly id: string
  /** JSON text. */
  readonly text: string
}

/** Stored responses in SQLite. Everything of a tenant is found with its name alone. */
export class ResponseStore {
  readonly #db: DatabaseSync
  readonly #insert: StatementSync
  readonly #insertItem: StatementSync
  readonly #body: StatementSync
  readonly #first: StatementSync
  readonly #items: StatementSync
  readonly #item: StatementSync
  readonly #remove: StatementSync

  /** Opens or makes the file. Throws StoreProblem. */
  constructor(path: string) {
    const checked = ['responses', 'items']
    this.#db = openSqliteFile(path, { durability: 'process', version: 1, schema: SCHEMA, checked })
    this.#insert = this.#db.prepare('INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?)')
    this.#insertItem = this.#db.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)')
    this.#body = this.#db.prepare('SELECT body FROM responses WHERE id = ? AND tenant = ?')
    this.#first = this.#db.prepare(`${CHAIN} SELECT previous FROM chain ORDER BY depth DESC LIMIT 1`)
    this.#items = this.#db.prepare(
      `${CHAIN} SELECT text, depth, side FROM chain JOIN items ON response = chain.id ORDER BY depth DESC, side, at`,
    )
    this.#item = this.#db.prepare('SELECT text FROM items WHERE tenant = ? AND id = ? LIMIT 1')
    this.#remove = this.#db.prepare('DELETE FROM responses WHERE id = ? AND tenant = ?')
  }

  /** Keeps a response as one step. Throws where the disk is full or the file is damaged; then nothing of it is there. */
  add({ id, tenant, key, previous, createdMs, body, input, output }: ResponseRow): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#insert.run(id, tenant, key, previous ?? null, createdMs, body)
      for (const [side, items] of [input, output].entries())
        for (const [at, item] of items.entries()) this.#insertItem.run(id, side, at, item.id, tenant, item.text)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  body(tenant: string, id: string): string | undefined {
    return (this.#body.get(id, tenant) as { body: string } | undefined)?.body
  }

  /**
   * Texts of the items of a conversation up to a response, oldest first; `withAnswer` false leaves its own output out. Undefined where
   * it, or one before it, is not there. Throws ConversationTooLong.
   */
  conversation(tenant: string, id: string, withAnswer: boolean): readonly string[] | undefined {
    const first = this.#first.get(id, tenant) as { previous: string | null } | undefined
    if (first === undefined || first.previous !== null) return undefined
    const texts: string[] = []
    let chars = 0
    for (const row of this.#items.iterate(id, tenant) as Iterable<{ text: string; depth: number; side: number }>) {
      if (!withAnswer && row.depth === 0 && row.side === 1) continue
      chars += row.text.length
      if (chars > MAX_CHARS) throw new ConversationTooLong()
      texts.push(row.text)
    }
    return texts
  }

  item(tenant: string, id: string): string | undefined {
    return (this.#item.get(tenant, id) as { text: string } | undefined)?.text
  }

  /** Whether there was something to remove. */
  remove(tenant: string, id: string): boolean {
    return this.#remove.run(id, tenant).changes > 0
  }

  /** Removes a few of what was made before a moment; gives how many. 0 = there are no more. */
  expireSome(beforeMs: number): number {
    return this.#removeSome('created_ms < ?', [beforeMs])
  }

  /** Removes a few of a tenant, or of some of its keys. */
  forgetSome(tenant: string, keys: ReadonlySet<string> | undefined): number {
    return keys === undefined
      ? this.#removeSome('tenant = ?', [tenant])
      : this.#removeSome('tenant = ? AND key IN (SELECT value FROM json_each(?))', [tenant, JSON.stringify([...keys])])
  }

  /** Takes out of the log what has been deleted. */
  truncateLog(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** May be called again. */
  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #removeSome(where: string, values: readonly (string | number)[]): number {
    const sql = `DELETE FROM responses WHERE id IN (SELECT id FROM responses WHERE ${where} LIMIT ${STEP})`
    return Number(this.#db.prepare(sql).run(...values).changes)
  }
}
