import { mkdtempSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDataDirLocked } from '../../store/sqlite-file.ts'
import { openLedgerFile } from './ledger-file.ts'
import { LEDGER_VERSION, SqliteJournal } from './sqlite-journal.ts'

export interface WholeLedger {
  readonly db: DatabaseSync
  close(): void
}

/**
 * Opens a ledger's file for reading, with all that is in it. What a killed process has left in the log of reservations, and a file of an
 * earlier version, are taken over as at a start, in a copy: the file itself stays as it is. Beside a running service the file is read
 * as it stands, which is at most 20 ms behind. Rejects with what SQLite throws, and with DamagedRow.
 */
export async function openWholeLedger(path: string): Promise<WholeLedger> {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    if (isWhole(db) || isDataDirLocked(dirname(path))) return { db, close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-ledger-'))
  const clear = (): void => rmSync(dir, { recursive: true, force: true })
  let whole: DatabaseSync | undefined
  try {
    const copy = join(dir, 'ledger.sqlite')
    await backup(db, copy)
    const opened = (whole = openLedgerFile(copy, 'process'))
    takeLogOver(opened)
    return {
      db: opened,
      close() {
        opened.close()
        clear()
      },
    }
  } catch (error) {
    whole?.close()
    clear()
    throw error
  } finally {
    db.close()
  }
}

/** The same, closed when `read` is done. */
export async function readWholeLedger<T>(path: string, read: (db: DatabaseSync) => T | Promise<T>): Promise<T> {
  const ledger = await openWholeLedger(path)
  try {
    return await read(ledger.db)
  } finally {
    ledger.close()
  }
}

/** Moves what is in the log of a file that nobody else uses to its tables; whether there was anything. Throws DamagedRow. */
export function takeLogOver(db: DatabaseSync): boolean {
  if (isWhole(db)) return false
  new SqliteJournal(db).openAttempts()
  return true
}

/** Whether nothing would change at a start; a file that is no ledger counts as that. */
function isWhole(db: DatabaseSync): boolean {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version === LEDGER_VERSION) return db.prepare('SELECT 1 FROM ahead LIMIT 1').get() === undefined
  const isLedger = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'attempts'").get()
  return version === 0 || version > LEDGER_VERSION || isLedger === undefined
}
