/** A journal in memory that survives a "crash" of the ledger on top of it, and fails on demand. */
import type { AttemptRow, Batch, Journal, OpenAttempt } from '../../src/budget/ledger/journal.ts'

export class RecordingJournal implements Journal {
  readonly attempts: AttemptRow[] = []
  readonly books: Map<string, number> = new Map()
  readonly documents: Map<string, string> = new Map()
  commits = 0
  isFull = false

  settledIn(book: string): number {
    return this.books.get(book) ?? 0
  }

  document(kind: string, id: string): string | undefined {
    return this.documents.get(`${kind} ${id}`)
  }

  commit(batch: Batch): readonly number[] {
    if (this.isFull) throw new Error('database or disk is full')
    this.commits += 1
    for (const { id, settled } of batch.books) this.books.set(id, settled)
    for (const { kind, id, text } of batch.documents) this.documents.set(`${kind} ${id}`, text)
    return batch.attempts.map((attempt) => {
      const row = attempt.row ?? this.attempts.length
      this.attempts[row] = { ...attempt, row }
      return row
    })
  }

  openAttempts(): readonly OpenAttempt[] {
    return this.attempts.flatMap((attempt) => {
      const { id, lines, note, state, row } = attempt
      return state === 'settled' || state === 'voided'
        ? []
        : [{ row: row as number, attempt: { id, lines, note, state } }]
    })
  }
}
