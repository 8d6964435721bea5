import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { StoreProblem } from './store-problem.ts'

/** All pages in one step: a copy in several steps begins anew whenever somebody writes. */
const ALL_PAGES = 0x7fffffff

/**
 * Copies a database that may be in use into one new file, which holds everything that was committed when the copy began. The copy is
 * made beside its place (mode 0600), handed to `check`, and moved there only then. Throws StoreProblem where `to` is there and `isForced`
 * is not set, and what `check` throws.
 */
export async function backupSqlite(
  from: string,
  to: string,
  { isForced, check }: { readonly isForced: boolean; readonly check: (copy: DatabaseSync) => void },
): Promise<void> {
  if (existsSync(to) && !isForced)
    throw new StoreProblem(`${to} is there already. Choose another name, or overwrite it with --force.`)
  const part = `${to}.part`
  rmSync(part, { force: true })
  closeSync(openSync(part, 'wx', 0o600))
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
  try {
    await backup(source, part, { rate: ALL_PAGES })
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
    source.close()
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(part + end, { force: true })
  }
}
