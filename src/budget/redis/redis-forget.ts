import { SwitchyardError } from '../../shared/errors.ts'
import { REDIS_KEYS } from '../../store/redis-client.ts'
import type { RedisLink } from '../../store/redis-link.ts'
import { FORGOTTEN, type Forgotten, type Subject } from '../upkeep/forget.ts'
import { redisDocuments } from './redis-documents.ts'
import { FOLD_MOST } from './redis-fold.ts'
import type { UpkeepLease } from './redis-lease.ts'
import { entriesOf } from './redis-past.ts'
import { decodeEnded } from './redis-records.ts'
import { dropTask } from './redis-retention.ts'
import { rootOf, UPKEEP_SCRIPTS } from './redis-scripts.ts'
import { decodeTask } from '../tasks/task.ts'

const SCANNED = 500
/** What says whether the tenant has gone on meanwhile, and so goes last. */
const LAST = /^(?:upkeep|past|days|folded|owners|unresolved|unresolved-usd|open:.*|daily:.*)$/s
/** Beyond that its requests do not end. */
const MOST_ROUNDS = 5

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
  subject: Subject,
  rest: () => Promise<void>,
): Promise<RedisForgotten> {
  const forgotten = { attempts: 0, tasks: 0, totals: 0, requests: new Set<string>() }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    await fold(lease, subject, forgotten, rest)
    if (subject.keys !== undefined || !(await removeRest(link, lease, rest))) break
  }
  return forgotten
}

/** Deletes attempts and tasks, and gives the totals to nobody. */
async function fold(
  lease: UpkeepLease,
  { tenant, keys }: Subject,
  count: Forgotten & { readonly requests: Set<string> },
  rest: () => Promise<void>,
): Promise<void> {
  const touched = new Set<string>()
  for (let from = '-'; ;) {
    const page = entriesOf(await lease.read('XRANGE', 'past', from, '+', 'COUNT', String(FOLD_MOST)))
    const mine = page.filter(({ text }) => {
      const { id, note } = decodeEnded(tenant, text)
      if (keys !== undefined && !keys.has(note.key)) return false
      count.requests.add(id.slice(0, id.lastIndexOf('/')))
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
        ? await lease.step(UPKEEP_SCRIPTS['forget-day'], [
            day,
            tenant,
            FORGOTTEN,
            rootOf(FORGOTTEN),
            REDIS_KEYS.tenants,
          ])
        : await lease.step(UPKEEP_SCRIPTS['forget-keys'], [day, FORGOTTEN, ...keys])
    count.totals += Number(totals)
    await rest()
  }
  // An emptied Redis had nothing of it to be read, which is not the same as forgotten.
  await lease.renew()
}

/**
 * Deletes what is left of a tenant: empty books, evidence, marks, and the tenant itself with the last step. Resolves with whether requests
 * of it have ended meanwhile: then it is all to be done again. Throws SwitchyardError where some are under way.
 */
async function removeRest(link: RedisLink, lease: UpkeepLease, rest: () => Promise<void>): Promise<boolean> {
  const { root, tenant } = lease
  const remove = async (isLast: boolean, ends: readonly string[]): Promise<boolean> => {
    const args = [REDIS_KEYS.tenants, tenant, isLast ? 'last' : '', ...ends]
    const [result] = await lease.step(UPKEEP_SCRIPTS['forget-rest'], args)
    if (result === 'open') {
      const sentence = 'Requests of it are under way. Revoke its keys, and say it again.'
      throw new SwitchyardError('task_conflict', sentence, { param: 'tenant' })
    }
    return result === 'again'
  }
  const pattern = `${root.replace(/[\\*?[\]]/g, '\\$&')}:*`
  let cursor = '0'
  do {
    const args = [cursor, 'MATCH', pattern, 'COUNT', String(SCANNED)]
    const [next, keys] = (await link.command('SCAN', args)) as [string, readonly string[]]
    cursor = next
    const ends = keys.map((key) => key.slice(root.length + 1)).filter((end) => !LAST.test(end))
    if (ends.length > 0) await remove(false, ends)
    await rest()
  } while (cursor !== '0')
  return remove(true, [])
}
