import { DatabaseSync } from 'node:sqlite'

/** Pages of the write-ahead log that one checkpoint moves at most about: small, as requests wait for it. */
const CHECKPOINT_PAGES = 100

/**
 * A second connection to the ledger, for work beside requests: it never waits for another's lock, overwrites what it deletes with zeros
 * (https://sqlite.org/pragma.html#pragma_secure_delete), and waits for no disk. What it deletes may come back after a power cut, and is
 * then deleted again. With `power` the ledger's own thread moves the log into the file, which waits for the disk.
 */
export function openUpkeepConnection(path: string, durability: 'process' | 'power'): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 })
  db.exec(
    durability === 'power'
      ? 'PRAGMA secure_delete=ON; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0'
      : `PRAGMA secure_delete=ON; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}`,
  )
  return db
}
