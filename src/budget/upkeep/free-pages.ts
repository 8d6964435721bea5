import type { DatabaseSync } from 'node:sqlite'
import type { Step } from './upkeep-steps.ts'

/** Pages per transaction, a megabyte. */
const PAGES = 256
/** A row of so many zeros fills a leaf page of its own (4,096 bytes less its header and the row's, https://sqlite.org/fileformat2.html#b_tree_pages). */
const ROW_BYTES = 4000

/**
 * Fills the pages that belong to no table with zeros: the log of reservations gives its pages back as they are, names and all, since
 * it is emptied many times a second.
 */
export function freePages(db: DatabaseSync): Step {
  const free = db.prepare('PRAGMA freelist_count')
  const isLeft = (): boolean => (free.get() as { freelist_count: number }).freelist_count > 0
  return () => {
    db.exec('CREATE TABLE IF NOT EXISTS zeros (bytes BLOB NOT NULL) STRICT')
    const insert = db.prepare(`INSERT INTO zeros (bytes) VALUES (zeroblob(${ROW_BYTES}))`)
    for (let page = 0; page < PAGES && isLeft(); page++) insert.run()
    if (isLeft()) return false
    // They are zeros already.
    db.exec('PRAGMA secure_delete=OFF; DROP TABLE zeros; PRAGMA secure_delete=ON')
    return true
  }
}
