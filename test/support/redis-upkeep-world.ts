/** Books in Redis with attempts in them, for upkeep: the same attempts as `upkeep-world.ts` writes into a file. */
import { DatabaseSync } from 'node:sqlite'
import type { Redis } from 'ioredis'
import { copyRedisLedger } from '../../src/budget/redis/copy-redis-ledger.ts'
import { exportLedger } from '../../src/budget/upkeep/export-ledger.ts'
import { UpkeepLease } from '../../src/budget/redis/redis-lease.ts'
import { retainInRedis } from '../../src/budget/redis/redis-retention.ts'
import { encodeTask, newTask, taskKey } from '../../src/budget/tasks/task.ts'
import { newId } from '../../src/shared/ids.ts'
import { beginBooks } from '../../src/store/redis-admin.ts'
import { openRedisLedger, type OpenedRedisLedger } from './redis-driver.ts'
import type { RedisServer } from './redis-server.ts'
import { linesOf, noteOf, type TestAttempt } from './upkeep-world.ts'

export interface RedisUpkeepWorld extends OpenedRedisLedger {
  readonly add: (attempts: readonly TestAttempt[]) => Promise<void>
  /** One process's retention of all tenants. */
  readonly retain: (before: string, rest?: () => Promise<void>) => Promise<void>
  /** A copy as SQLite; the caller closes it. */
  readonly copy: () => Promise<DatabaseSync>
}

/** On empty books. */
export async function redisUpkeepWorld(server: RedisServer, admin: Redis): Promise<RedisUpkeepWorld> {
  await admin.flushall()
  await beginBooks(server.url)
  return joinRedisUpkeepWorld(server.url)
}

/** On the books that are there. */
export async function joinRedisUpkeepWorld(url: string): Promise<RedisUpkeepWorld> {
  const opened = await openRedisLedger(url, { commandTimeoutMs: 20_000 })
  const { ledger, link } = opened
  await ledger.beat()
  const token = newId('test_')
  let number = 0
  return {
    ...opened,
    async add(attempts) {
      for (const attempt of attempts) {
        const id = `req_${(number += 1)}/1`
        const note = noteOf(attempt)
        const result = await ledger.reserve({ id, lines: linesOf(attempt), note, sendsAtOnce: true })
        if (result.kind !== 'admitted') throw new Error(`The attempt was answered with ${result.kind}.`)
        const { end } = attempt
        if (end === 'void') await ledger.void(id)
        else if (end === 'unresolved') await ledger.unresolve(id)
        else if (end !== undefined) {
          const amounts = linesOf(attempt).map(({ book }) =>
            book.startsWith('task:tokens:') ? 30 : book.startsWith('task:calls:') ? 1 : end.cost,
          )
          await ledger.settle(id, amounts, { input: 10, output: 20 })
        }
      }
      for (const { tenant, task, day, type = 'default' } of attempts) {
        if (task === undefined) continue
        const key = taskKey(tenant, task)
        const { version } = await ledger.look(tenant, { kind: 'task', id: key }, [])
        const text = encodeTask(newTask(tenant, task, type, {}, Date.parse(day)))
        await ledger.write(tenant, { kind: 'task', id: key, version, text })
      }
    },
    async retain(before, rest = () => Promise.resolve()) {
      for (const tenant of (await link.command('SMEMBERS', ['switchyard:tenants'])) as readonly string[]) {
        const lease = await UpkeepLease.take(link, token, tenant, 5000)
        if (lease === undefined) throw new Error('the lease is taken')
        await retainInRedis(lease, { before, idleBefore: Infinity, rest })
        await lease.drop(before)
      }
    },
    async copy() {
      const db = new DatabaseSync(':memory:')
      await copyRedisLedger(link, db, newId('copy_'))
      return db
    },
  }
}

/** Everything that a ledger knows of tenants, in an order of its own. */
export function everythingIn(db: DatabaseSync, tenants: readonly string[]): readonly string[] {
  return tenants
    .flatMap((tenant) => [...exportLedger(db, { tenant, keys: undefined })])
    .map((record) => JSON.stringify(record))
    .sort()
}
