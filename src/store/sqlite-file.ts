/** Opens SQLite files (https://sqlite.org/wal.html): write-ahead log, one writer process, damage found at start. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreProblem } from './store-problem.ts'
import { findWalDamage } from './wal-damage.ts'

/**
 * `process`: what is committed survives a killed process (the pages are with the kernel). `power`: it survives a power cut (fsync
 * at each commit).
 */
export type Durability = 'process' | 'power'

export interface SqliteOptions {
  readonly durability: Durability
  /** Version of the schema, kept in `user_version`. */
  readonly version: number
  /** Makes the tables of an empty file. */
  readonly schema: string
  /** What takes a file of that version one step further; a file of a version without a step is refused. */
  readonly upgrades?: Readonly<Record<number, string>>
  /** Tables that are read through at start. */
  readonly checked: readonly string[]
  readonly readOnly?: boolean
}

/** Opens or makes the file. Throws StoreProblem where it is damaged, of a later version, or cannot be opened. */
export function openSqliteFile(path: string, options: SqliteOptions): DatabaseSync {
  if (options.readOnly !== true) {
    mkdirSync(dirname(path), { recursive: true })
    const damage = findWalDamage(`${path}-wal`)
    if (damage !== undefined) throw damaged(path, damage)
  }
  let db: DatabaseSync | undefined
  try {
    if (options.readOnly !== true) keepPrivate(path)
    db = new DatabaseSync(path, { readOnly: options.readOnly === true, timeout: 5000 })
    if (options.readOnly === true) return db
    db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${options.durability === 'power' ? 'FULL' : 'OFF'}`)
    // Who is forgotten is gone from the file, too; only pages that are written anyway are zeroed, so that it costs next to nothing.
    db.exec('PRAGMA secure_delete=FAST')
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version > options.version) {
      throw new StoreProblem(
        `${path} was written by a later version of switchyard (${version}). Start that one, or another dataDir.`,
      )
    }
    for (let from = version; from > 0 && from < options.version; from++) {
      const step = options.upgrades?.[from]
      if (step === undefined) {
        throw new StoreProblem(
          `${path} was written by an earlier version of switchyard (${version}), which this one cannot take over. Start that one, or another dataDir.`,
        )
      }
      db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version=${from + 1}; COMMIT`)
    }
    if (version === 0) {
      db.exec(`BEGIN IMMEDIATE; ${options.schema}; PRAGMA user_version=${options.version}; COMMIT`)
      return db
    }
    for (const table of options.checked) {
      const [first] = db.prepare(`PRAGMA quick_check('${table}')`).all() as { quick_check?: string }[]
      const found = Object.values(first ?? {})[0]
      if (found !== 'ok') throw damaged(path, String(found))
    }
    return db
  } catch (error) {
    db?.close()
    if (error instanceof StoreProblem) throw error
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
    // SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html).
    if (code === 11 || code === 26) throw damaged(path, (error as Error).message)
    throw new StoreProblem(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    })
  }
}

/**
 * Makes the file before SQLite does, which would use the umask, and mends those of earlier versions: what users asked and spent is for
 * the service's own user alone. A -wal and a -shm that SQLite makes take over the mode of the main file
 * (https://sqlite.org/src/file/src/os_unix.c, findCreateFileMode).
 */
function keepPrivate(path: string): void {
  // Never opened where it is there: closing it would take away the locks of this process on it (https://sqlite.org/howtocorrupt.html, 2.2).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  for (const each of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(each)) chmodSync(each, 0o600)
}

/** What an operator reads whose file is damaged. */
export function damaged(path: string, what: string): StoreProblem {
  return new StoreProblem(
    `${path} is damaged (${what}), and the service does not start on books that may be wrong. ` +
      `Move it away together with its -wal and -shm files, put a backup in its place ("switchyard ledger backup FILE" makes one while the service runs, "switchyard ledger verify FILE" checks it), and start again. ` +
      `Without a backup, start on another dataDir: budgets then begin anew.`,
  )
}

const LOCK_FILE = 'service.lock'

/** Whether a process has the lock of `dataDir`; false where nobody has ever had it. */
export function isDataDirLocked(dataDir: string): boolean {
  if (!existsSync(join(dataDir, LOCK_FILE))) return false
  try {
    lockDataDir(dataDir)()
    return false
  } catch (error) {
    if (error instanceof StoreProblem) return true
    throw error
  }
}

/**
 * Makes sure that one process alone writes in `dataDir`, for as long as it lives: the kernel takes the lock back with the process,
 * also after kill -9. Returns the release. Throws StoreProblem where another process has it.
 */
export function lockDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const path = join(dataDir, LOCK_FILE)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw new StoreProblem(
      `dataDir: another switchyard runs on ${dataDir}, and two would spend the same budget twice. Stop it, or choose another directory with --data-dir.`,
      { cause: error },
    )
  }
  return () => db.close()
}
