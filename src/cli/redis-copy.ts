import { DatabaseSync } from 'node:sqlite'
import { newId } from '../shared/ids.ts'
import type { Secret } from '../shared/secret.ts'
import { StoreProblem } from '../store/store-problem.ts'

/** SQLite's name for a database that goes when it is closed, and lies on disk where it does not fit into memory. */
export const TEMPORARY = ''
/** A command may wait longer than a request. */
const COMMAND_TIMEOUT_MS = 10_000

/**
 * Copies the books in Redis into a database that reads like the ledger of a gateway on its own, beside running gateways. Throws
 * StoreUnreachable and StoreProblem.
 */
export async function redisCopy(url: Secret, path: string): Promise<DatabaseSync> {
  // Commands without Redis need not load its client.
  const [{ copyRedisLedger }, { LeaseTaken }, { UPKEEP_SCRIPTS }, { RedisDown, RedisLink }] = await Promise.all([
    import('../budget/redis/copy-redis-ledger.ts'),
    import('../budget/redis/redis-lease.ts'),
    import('../budget/redis/redis-scripts.ts'),
    import('../store/redis-link.ts'),
  ])
  const link = await RedisLink.open(url.reveal(), {
    scripts: Object.values(UPKEEP_SCRIPTS),
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  })
  const db = new DatabaseSync(path)
  try {
    await copyRedisLedger(link, db, newId('copy_'))
    return db
  } catch (error) {
    db.close()
    if (error instanceof RedisDown)
      throw new StoreProblem(`Redis at ${link.address}: ${error.message}. Nothing was read.`)
    throw error instanceof LeaseTaken ? new StoreProblem(error.message) : error
  } finally {
    link.close()
  }
}

/** The same, closed when `work` is done. */
export async function withRedisCopy<T>(url: Secret, path: string, work: (db: DatabaseSync) => T): Promise<T> {
  const db = await redisCopy(url, path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}
