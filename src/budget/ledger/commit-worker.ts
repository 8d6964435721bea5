/** The thread of `ThreadedJournal`: commits batches with fsync, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch } from './journal.ts'
import { openLedgerFile } from './ledger-file.ts'
import { SqliteJournal } from './sqlite-journal.ts'

/** What comes back for each batch, in order. */
export type CommitReply = { readonly rows: readonly number[] } | { readonly error: string }

const db = openLedgerFile((workerData as { readonly path: string }).path, 'power')
const journal = new SqliteJournal(db)

parentPort?.on('message', (batch: Batch | 'close') => {
  if (batch === 'close') {
    db.close()
    parentPort?.close()
    return
  }
  let reply: CommitReply
  try {
    reply = { rows: journal.commit(batch) }
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
  parentPort?.postMessage(reply)
})
