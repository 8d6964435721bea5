import type { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy): another connection writes. */
const BUSY = 5

/** Runs `work` as one transaction. Throws what `work` or SQLite throws; then nothing of it was written. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Whether another connection was writing, so that trying again helps. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === BUSY
}
