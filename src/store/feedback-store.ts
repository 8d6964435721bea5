import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Feedback, KeptFeedback } from '../gateway/feedback.ts'
import { openSqliteFile } from './sqlite-file.ts'

/** File name in the data directory. */
export const FEEDBACK_FILE = 'feedback.sqlite'
/** Rows per step of a deletion. */
const STEP = 200

/** `quality` and the rest of feedback hold figures and ids only: no prompt, answer or correction. */
const SCHEMA = `
CREATE TABLE decisions (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  task TEXT,
  at_ms INTEGER NOT NULL,
  model TEXT,
  tier TEXT,
  reason TEXT,
  intent TEXT,
  score REAL,
  result TEXT NOT NULL,
  escalation TEXT,
  cost INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_by_age ON decisions (tenant, at_ms);
CREATE INDEX decisions_of_task ON decisions (tenant, task) WHERE task IS NOT NULL;
CREATE TABLE feedback (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  quality REAL NOT NULL,
  success INTEGER,
  is_corrected INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, subject)
) STRICT, WITHOUT ROWID`

/** What is remembered of an answer. */
export interface Decision {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly task: string | undefined
  readonly atMs: number
  readonly model: string | undefined
  readonly tier: string | undefined
  readonly reason: string | undefined
  readonly intent: string
  readonly score: number | undefined
  readonly result: string
  readonly escalation: string | undefined
  readonly cost: number | undefined
}

interface FeedbackRow {
  readonly id: string
  readonly quality: number
  readonly success: number | null
  readonly is_corrected: number
  readonly revision: number
  readonly created_ms: number
  readonly updated_ms: number
}

/** What was answered and what callers said of it, in SQLite. Everything of a tenant is found with its name alone. */
export class FeedbackStore {
  readonly #db: DatabaseSync
  readonly #mostPerTenant: number
  /** Decisions of each tenant; tenants come from the configuration and from made keys, so there are few. */
  readonly #counts = new Map<string, number>()
  readonly #note: StatementSync
  readonly #trim: StatementSync
  readonly #trimSaid: StatementSync
  readonly #isRequest: StatementSync
  readonly #ofTask: StatementSync
  readonly #find: StatementSync
  readonly #put: StatementSync

  /** Opens or makes the file. Throws StoreProblem. */
  constructor(path: string, mostPerTenant: number) {
    const checked = ['decisions', 'feedback']
    this.#db = openSqliteFile(path, { durability: 'process', version: 1, schema: SCHEMA, checked })
    this.#mostPerTenant = mostPerTenant
    this.#note = this.#db.prepare('INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    const oldest = 'SELECT id FROM decisions WHERE tenant = ?1 ORDER BY at_ms LIMIT ?2'
    this.#trim = this.#db.prepare(`DELETE FROM decisions WHERE id IN (${oldest})`)
    this.#trimSaid = this.#db.prepare(
      `DELETE FROM feedback WHERE tenant = ?1 AND kind = 'request' AND subject IN (${oldest})`,
    )
    this.#isRequest = this.#db.prepare('SELECT count(*) AS n FROM decisions WHERE id = ? AND tenant = ?')
    this.#ofTask = this.#db.prepare('SELECT count(*) AS n FROM decisions WHERE task = ? AND tenant = ?')
    this.#find = this.#db.prepare('SELECT * FROM feedback WHERE tenant = ? AND kind = ? AND subject = ?')
    this.#put = this.#db.prepare('INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#count()
  }

  /** Notes answers as one step; the oldest of a tenant that has too many go, with what was said of them. */
  note(decisions: readonly Decision[]): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const each of decisions) {
        const { id, tenant, key, task, atMs, model, tier, reason, intent, score, result, escalation, cost } = each
        this.#note.run(
          id,
          tenant,
          key,
          task ?? null,
          Math.round(atMs),
          model ?? null,
          tier ?? null,
          reason ?? null,
          intent,
          score ?? null,
          result,
          escalation ?? null,
          cost ?? null,
        )
        const count = (this.#counts.get(tenant) ?? 0) + 1
        this.#counts.set(tenant, count)
        if (count >= this.#mostPerTenant + STEP) {
          const surplus = count - this.#mostPerTenant
          this.#trimSaid.run(tenant, surplus)
          const gone = Number(this.#trim.run(tenant, surplus).changes)
          this.#counts.set(tenant, count - gone)
        }
      }
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#count()
      throw error
    }
  }

  /** Keeps feedback; the last one on a subject counts. Undefined where the tenant has no such request or task. */
  give(tenant: string, key: string, given: Feedback, newId: () => string, nowMs: number): KeptFeedback | undefined {
    const { kind, id: subject } = given.subject
    const { n: requests } = (kind === 'task' ? this.#ofTask : this.#isRequest).get(subject, tenant) as { n: number }
    if (requests === 0) return undefined
    const success = given.success === undefined ? null : Number(given.success)
    const corrected = Number(given.isCorrected)
    const old = this.#find.get(tenant, kind, subject) as FeedbackRow | undefined
    const isSame =
      old !== undefined && old.quality === given.quality && old.success === success && old.is_corrected === corrected
    if (isSame)
      return {
        ...given,
        id: old.id,
        revision: old.revision,
        createdMs: old.created_ms,
        updatedMs: old.updated_ms,
        requests,
      }
    const id = old?.id ?? newId()
    const revision = (old?.revision ?? 0) + 1
    const createdMs = old?.created_ms ?? nowMs
    this.#put.run(tenant, kind, subject, id, key, given.quality, success, corrected, revision, createdMs, nowMs)
    return { ...given, id, revision, createdMs, updatedMs: nowMs, requests }
  }

  /** Removes a few of what is older than a moment; gives how many. 0 = there are no more. */
  expireSome(beforeMs: number): number {
    return this.#removeSome('at_ms < ?', 'updated_ms < ?', [beforeMs])
  }

  /** Removes a few of a tenant, or of some of its keys. */
  forgetSome(tenant: string, keys: ReadonlySet<string> | undefined): number {
    if (keys === undefined) return this.#removeSome('tenant = ?', 'tenant = ?', [tenant])
    const made = 'tenant = ?1 AND key IN (SELECT value FROM json_each(?2))'
    // Another key may have spoken of what these keys were answered.
    const said = `tenant = ?1 AND (key IN (SELECT value FROM json_each(?2))
      OR kind = 'request' AND subject IN (SELECT id FROM decisions WHERE ${made})
      OR kind = 'task' AND subject IN (SELECT task FROM decisions WHERE ${made}))`
    return this.#removeSome(made, said, [tenant, JSON.stringify([...keys])])
  }

  /** Takes out of the log what has been deleted. */
  truncateLog(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** May be called again. */
  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  /** Feedback first, as what it speaks of is found by the decisions. */
  #removeSome(decisions: string, feedback: string, values: readonly (string | number)[]): number {
    const said = `DELETE FROM feedback WHERE (tenant, kind, subject) IN (SELECT tenant, kind, subject FROM feedback WHERE ${feedback} LIMIT ${STEP})`
    const made = `DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE ${decisions} LIMIT ${STEP})`
    for (const sql of [said, made]) {
      const removed = Number(this.#db.prepare(sql).run(...values).changes)
      if (removed > 0) return removed
    }
    this.#count()
    return 0
  }

  #count(): void {
    this.#counts.clear()
    const rows = this.#db.prepare('SELECT tenant, count(*) AS n FROM decisions GROUP BY tenant').all()
    for (const { tenant, n } of rows as { tenant: string; n: number }[]) this.#counts.set(tenant, n)
  }
}
