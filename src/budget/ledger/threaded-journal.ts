import { Worker } from 'node:worker_threads'
import type { CommitReply } from './commit-worker.ts'
import type { Batch, Journal, OpenAttempt } from './journal.ts'

interface Pending {
  readonly resolve: (rows: readonly number[]) => void
  readonly reject: (error: Error) => void
}

/**
 * Commits on a thread of its own, so that waiting for the disk (fsync) holds nobody up; while one commit runs, the next batch grows.
 * Reads come from the caller's own connection: what it is asked for was committed before or is still in memory.
 */
export class ThreadedJournal implements Journal {
  readonly #reader: Journal
  readonly #worker: Worker
  readonly #pending: Pending[] = []
  #end: Error | undefined

  constructor(path: string, reader: Journal) {
    this.#reader = reader
    this.#worker = new Worker(new URL('commit-worker.ts', import.meta.url), { workerData: { path } })
    this.#worker.unref()
    this.#worker.on('message', (reply: CommitReply) => {
      const pending = this.#pending.shift()
      if ('rows' in reply) pending?.resolve(reply.rows)
      else pending?.reject(new Error(reply.error))
      if (this.#pending.length === 0) this.#worker.unref()
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('The thread that writes the ledger has ended.')))
  }

  settledIn(book: string): number {
    return this.#reader.settledIn(book)
  }

  document(kind: string, id: string): string | undefined {
    return this.#reader.document(kind, id)
  }

  openAttempts(): readonly OpenAttempt[] {
    return this.#reader.openAttempts()
  }

  commit(batch: Batch): Promise<readonly number[]> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      // A commit under way keeps the process alive.
      this.#worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
      this.#worker.postMessage(plain(batch))
    })
  }

  close(): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#worker.ref()
      this.#worker.once('exit', () => resolve())
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
      this.#worker.postMessage('close')
    })
  }

  /** From here on nothing can be written: everything that asks is refused. */
  #fail(error: unknown): void {
    this.#end ??= error instanceof Error ? error : new Error(String(error))
    for (const { reject } of this.#pending.splice(0)) reject(this.#end)
  }
}

/** Only what is written, since every message is copied. */
function plain({ attempts, books, documents }: Batch): Batch {
  return {
    attempts: attempts.map(({ id, state, lines, settled, note, tokens, row }) => ({
      id,
      state,
      lines: state === 'settled' || state === 'voided' ? lines.slice(0, 1) : lines,
      settled: settled?.slice(0, 1),
      note,
      tokens,
      row,
    })),
    books: books.map(({ id, settled }) => ({ id, settled })),
    documents,
  }
}
