import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** What deleted attempts of one day came to: with the attempts that are left it makes the day's total. */
export interface FoldedDay {
  readonly calls: number
  readonly input: number
  readonly output: number
  /** Nano-dollars. */
  readonly cost: number
  readonly voided: number
}

/** An ended attempt as far as folding needs it. */
export interface FoldRow {
  readonly row: number
  readonly id: string
  readonly state: number
  readonly day: string
  readonly cost: number | null
  readonly input: number | null
  readonly output: number | null
}

/** Kinds of documents that upkeep writes. */
export const FOLDED = 'folded'
export const EVIDENCE = 'evidence'
export const RETENTION = 'retention'
/** Id of the retention document that holds the day before which attempts may have been folded. */
export const FOLDED_BEFORE = 'folded-before'
/** Number of the state from which on an attempt has ended, and that of `settled`. */
export const FIRST_END = 3
export const SETTLED = 3
/** Columns of `FoldRow`. */
export const FOLD_COLUMNS = 'row, id, state, day, cost, input, output'

const NOTHING: FoldedDay = { calls: 0, input: 0, output: 0, cost: 0, voided: 0 }

/**
 * Deletes ended attempts and keeps their sum per day. The totals by who and what (`daily`) were counted when they were settled and do
 * not change. Runs within the caller's transaction.
 */
export class Fold {
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #delete: StatementSync
  readonly #deleteDocument: StatementSync

  constructor(db: DatabaseSync) {
    this.#read = db.prepare('SELECT text FROM documents WHERE kind = ? AND id = ?')
    this.#write = db.prepare(
      'INSERT INTO documents (kind, id, text) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
    )
    this.#delete = db.prepare('DELETE FROM attempts WHERE row = ?')
    this.#deleteDocument = db.prepare('DELETE FROM documents WHERE kind = ? AND id = ?')
  }

  fold(rows: readonly FoldRow[]): void {
    const sums = new Map<string, FoldedDay>()
    for (const { row, id, state, day, cost, input, output } of rows) {
      const sum = sums.get(day) ?? this.folded(day)
      sums.set(
        day,
        state === SETTLED
          ? {
              calls: sum.calls + 1,
              input: sum.input + (input ?? 0),
              output: sum.output + (output ?? 0),
              cost: sum.cost + (cost ?? 0),
              voided: sum.voided,
            }
          : { ...sum, voided: sum.voided + 1 },
      )
      this.#delete.run(row)
      this.#deleteDocument.run(EVIDENCE, id)
    }
    for (const [day, sum] of sums) this.#write.run(FOLDED, day, JSON.stringify(sum))
  }

  folded(day: string): FoldedDay {
    const found = this.#read.get(FOLDED, day) as { readonly text: string } | undefined
    return found === undefined ? NOTHING : (JSON.parse(found.text) as FoldedDay)
  }

  /** Notes that attempts of days before this one may be gone. Never goes back. */
  markBefore(day: string): void {
    const found = this.#read.get(RETENTION, FOLDED_BEFORE) as { readonly text: string } | undefined
    if (found === undefined || found.text < day) this.#write.run(RETENTION, FOLDED_BEFORE, day)
  }
}
