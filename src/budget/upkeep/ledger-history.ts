import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { stateOf, type StoredAttempt } from '../ledger/sqlite-journal.ts'
import type { DailyRow, LedgerPast, PastAttempt } from './ledger-past.ts'

/** Looks back into what was written: for reports and task pages, never for decisions. */
export class LedgerHistory implements LedgerPast {
  readonly #attempts: StatementSync
  readonly #documents: StatementSync
  readonly #daily: StatementSync

  constructor(db: DatabaseSync) {
    this.#attempts = db.prepare('SELECT * FROM attempts WHERE tenant = ? AND task = ? ORDER BY row DESC LIMIT ?')
    this.#documents = db.prepare('SELECT text FROM documents WHERE kind = ? AND id > ? AND id < ? ORDER BY id LIMIT ?')
    this.#daily = db.prepare('SELECT * FROM daily WHERE day >= ? AND day <= ?')
  }

  /** The latest attempts of a task, oldest first. */
  attemptsOf(tenant: string, task: string, most: number): readonly PastAttempt[] {
    const rows = this.#attempts.all(tenant, task, most) as unknown as StoredAttempt[]
    return rows.reverse().map((row) => ({
      id: row.id,
      state: stateOf(row),
      model: row.model,
      upstream: row.upstream,
      atMs: row.at,
      hold: row.hold,
      cost: row.cost ?? undefined,
      input: row.input ?? undefined,
      output: row.output ?? undefined,
    }))
  }

  /** Documents of a kind whose id starts with `prefix` and comes after `after`. */
  documents(kind: string, prefix: string, after: string, most: number): readonly string[] {
    // No id holds a character above all others.
    const rows = this.#documents.all(kind, after > prefix ? after : prefix, `${prefix}\u{10ffff}`, most)
    return (rows as { text: string }[]).map((row) => row.text)
  }

  /** Settled money by who and what, of the days from `from` to `to`, both included. */
  daily(from: string, to: string): readonly DailyRow[] {
    return this.#daily.all(from, to) as unknown as DailyRow[]
  }
}
