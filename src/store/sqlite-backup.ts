import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { StoreProblem } from './store-problem.ts'

/** All pages in one step: a copy in several steps begins anew whenever somebody writes. */
const ALL_PAGES = 0x7fffffff

export interface NewSqliteOptions {
  readonly isForced: boolean
  /** Sees the finished file before it gets its name; what it throws is thrown on. */
  readonly check: (copy: DatabaseSync) => void
}

/** Copies a database that may be in use into one new file, which holds everything that was committed when the copy began. */
export async function backupSqlite(from: string, to: string, options: NewSqliteOptions): Promise<void> {
  await newSqlite(to, options, async (part) => {
    const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
    try {
      await backup(source, part, { rate: ALL_PAGES })
    } finally {
      source.close()
    }
  })
}

/**
 * Makes a database file: `fill` writes it beside its place (mode 0600), `check` sees it, and only then is it moved there. Throws
 * StoreProblem where `to` is there and `isForced` is not set, and what `fill` and `check` throw.
 */
export async function newSqlite(
  to: string,
  { isForced, check }: NewSqliteOptions,
  fill: (part: string) => Promise<void>,
): Promise<void> {
  if (existsSync(to) && !isForced)
    throw new StoreProblem(`${to} is there already. Choose another name, or overwrite it with --force.`)
  const part = `${to}.part`
  rmSync(part, { force: true })
  closeSync(openSync(part, 'wx', 0o600))
  try {
    await fill(part)
    const copy = new DatabaseSync(part)
    try {
      // One file alone, without a log beside it.
      copy.exec('PRAGMA journal_mode=DELETE')
      check(copy)
    } finally {
      copy.close()
    }
    chmodSync(part, 0o600)
    renameSync(part, to)
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(part + end, { force: true })
  }
}
