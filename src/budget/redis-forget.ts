import { REDIS_KEYS } from '../store/redis-client.ts'
import type { RedisLink } from '../store/redis-link.ts'
import { FORGOTTEN, type Forgotten, type Subject } from './forget.ts'
import { redisDocuments } from './redis-documents.ts'
import { FOLD_MOST } from './redis-fold.ts'
import type { UpkeepLease } from './redis-lease.ts'
import { entriesOf } from './redis-past.ts'
import { decodeEnded } from './redis-records.ts'
import { dropTask } from './redis-retention.ts'
import { rootOf, UPKEEP_SCRIPTS } from './redis-scripts.ts'
import { decodeTask } from './task.ts'

const SCANNED = 500

export interface RedisForgotten extends Forgotten {
  /** Ids of the requests whose attempts were deleted. */
  readonly requests: ReadonlySet<string>
}

/**
 * Takes the names of a subject out of the books in Redis: its attempts and tasks go, its money stays in the totals under no name. Steps
 * are whole in themselves, and saying it again finishes what was begun. The subject must have no open attempt. Throws LeaseTaken and
 * RedisDown.
 */
export async function forgetInRedis(
  link: RedisLink,
  lease: UpkeepLease,
  { tenant, keys }: Subject,
  rest: () => Promise<void>,
): Promise<RedisForgotten> {
  const requests = new Set<string>()
  const touched = new Set<string>()
  const count = { attempts: 0, tasks: 0, totals: 0 }
  for (let from = '-'; ; ) {
    const page = entriesOf(await lease.read('XRANGE', 'past', from, '+', 'COUNT', String(FOLD_MOST)))
    const mine = page.filter(({ text }) => {
      const { id, note } = decodeEnded(tenant, text)
      if (keys !== undefined && !keys.has(note.key)) return false
      requests.add(id.slice(0, id.lastIndexOf('/')))
      if (note.task !== undefined) touched.add(note.task)
      return true
    })
    if (mine.length > 0) await lease.step(UPKEEP_SCRIPTS.fold, ['', ...mine.map(({ entry }) => entry)])
    count.attempts += mine.length
    if (page.length < FOLD_MOST) break
    from = `(${page.at(-1)?.entry}`
    await rest()
  }
  for await (const page of redisDocuments(lease, 'task')) {
    for (const document of page) {
      const task = decodeTask(document.text)
      // A user's task is one that this user's keys alone have worked on: of others attempts are left.
      if (keys !== undefined && !touched.has(task.id)) continue
      if (await dropTask(lease, document, task)) count.tasks += 1
    }
    await rest()
  }
  for (const day of (await lease.read('SMEMBERS', 'days')) as readonly string[]) {
    const [totals] =
      keys === undefined
        ? await lease.step(UPKEEP_SCRIPTS['forget-day'], [day, tenant, FORGOTTEN, rootOf(FORGOTTEN), REDIS_KEYS.tenants])
        : await lease.step(UPKEEP_SCRIPTS['forget-keys'], [day, FORGOTTEN, ...keys])
    count.totals += Number(totals)
    await rest()
  }
  if (keys === undefined) await removeRest(link, lease, rest)
  return { ...count, requests }
}

/** What is left of a tenant: empty books, evidence, marks. The lease and the mark of the books go last. */
async function removeRest(link: RedisLink, lease: UpkeepLease, rest: () => Promise<void>): Promise<void> {
  const { root, tenant } = lease
  // From here on it is no tenant any more; who comes back as one begins anew.
  await link.command('SREM', [REDIS_KEYS.tenants, tenant])
  const pattern = `${root.replace(/[\\*?[\]]/g, '\\$&')}:*`
  let cursor = '0'
  do {
    const [next, keys] = (await link.command('SCAN', [cursor, 'MATCH', pattern, 'COUNT', String(SCANNED)])) as [
      string,
      readonly string[],
    ]
    cursor = next
    const gone = keys.filter((key) => key !== `${root}:upkeep`)
    if (gone.length > 0) await link.command('UNLINK', gone)
    await rest()
  } while (cursor !== '0')
  await link.command('UNLINK', [root, `${root}:upkeep`])
}
