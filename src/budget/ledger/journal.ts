import type { Turn } from './ahead-log.ts'
import type { AttemptState, AttemptView } from './ledger.ts'

/** An attempt as it is to be written: its state when the batch was made. */
export interface AttemptRow extends AttemptView {
  /** Number of its row; undefined = not written before. */
  readonly row: number | undefined
}

/** What has changed since the last commit. Written as one transaction: all of it or nothing. */
export interface Batch {
  readonly attempts: readonly AttemptRow[]
  readonly books: readonly { readonly id: string; readonly settled: number }[]
  /** Anything else that belongs to the books, by kind and id: tasks. */
  readonly documents: readonly DocumentRow[]
}
export interface DocumentRow {
  readonly kind: string
  readonly id: string
  readonly text: string
}

/** An attempt that had not ended when the journal was last written. */
export interface OpenAttempt {
  readonly row: number
  readonly attempt: Pick<AttemptView, 'id' | 'lines' | 'note'> & {
    readonly state: Extract<AttemptState, 'reserved' | 'sent' | 'unresolved'>
  }
}

/** Where the ledger is written down. Throws (or rejects) when it cannot be: then nothing of the batch was written. */
export interface Journal {
  /** What is settled in a book; 0 for one that was never written. */
  settledIn(book: string): number
  /** Rows of new attempts, in the order in which they stand in the batch. */
  commit(batch: Batch): readonly number[] | Promise<readonly number[]>
  /**
   * Writes reservations down where they cannot be lost, at less cost than `commit`, with all that has ended since the last write: what
   * was appended has to come again in the next batch. Absent = `commit` alone makes things safe.
   */
  append?(turn: Turn): void
  openAttempts(): readonly OpenAttempt[]
  document(kind: string, id: string): string | undefined
}

/** Writes nothing down: the ledger of a process that forgets. */
export class NoJournal implements Journal {
  settledIn(): number {
    return 0
  }

  commit(batch: Batch): readonly number[] {
    return batch.attempts.map((attempt) => attempt.row ?? 0)
  }

  openAttempts(): readonly OpenAttempt[] {
    return []
  }

  document(): string | undefined {
    return undefined
  }
}
