import { hasEnded, decodeTask, type Task } from '../tasks/task.ts'
import { redisDocuments, type StoredDocument } from './redis-documents.ts'
import { FOLD_MOST } from './redis-fold.ts'
import type { UpkeepLease } from './redis-lease.ts'
import { entriesOf } from './redis-past.ts'
import { decodeEnded } from './redis-records.ts'
import { UPKEEP_SCRIPTS } from './redis-scripts.ts'

export interface RedisRetentionOptions {
  /** Attempts of days before this one (UTC, `YYYY-MM-DD`) fold into the daily totals. */
  readonly before: string
  /** Unix milliseconds: tasks without an end count as ended if their last request is older. */
  readonly idleBefore: number
  /** Runs between steps. */
  readonly rest: () => Promise<void>
}

/**
 * Deletes of one tenant what is older than the attempts that are kept: ended attempts (their totals stay), books of days and months,
 * ended tasks with their books. One small script per step, each whole in itself, so that it may stop anywhere and begin anew.
 * Throws LeaseTaken and RedisDown.
 */
export async function retainInRedis(lease: UpkeepLease, options: RedisRetentionOptions): Promise<void> {
  await oldAttempts(lease, options)
  await oldBooks(lease, options)
  await oldTasks(lease, options)
  // What an emptied Redis had not to be read is not done.
  await lease.renew()
}

/** Entries are in the order in which attempts ended: a page without an old one is the end, but for a few that ended long after their day. */
async function oldAttempts(lease: UpkeepLease, { before, rest }: RedisRetentionOptions): Promise<void> {
  for (let from = '-'; ;) {
    const page = entriesOf(await lease.read('XRANGE', 'past', from, '+', 'COUNT', String(FOLD_MOST)))
    const old = page.filter(({ text }) => decodeEnded(lease.tenant, text).note.day < before)
    if (old.length > 0) await lease.step(UPKEEP_SCRIPTS.fold, [before, ...old.map(({ entry }) => entry)])
    if (old.length === 0 || page.length < FOLD_MOST) return
    from = `(${page.at(-1)?.entry}`
    await rest()
  }
}

async function oldBooks(lease: UpkeepLease, { before, rest }: RedisRetentionOptions): Promise<void> {
  for (let after = ''; ;) {
    const args = [before, lease.tenant, after, String(FOLD_MOST)]
    const [last] = await lease.step(UPKEEP_SCRIPTS['old-books'], args)
    if (last === '' || last === undefined) return
    after = String(last)
    await rest()
  }
}

async function oldTasks(lease: UpkeepLease, { before, idleBefore, rest }: RedisRetentionOptions): Promise<void> {
  const beforeMs = Date.parse(before)
  for await (const page of redisDocuments(lease, 'task')) {
    for (const document of page) {
      const task = decodeTask(document.text)
      if (task.lastMs < beforeMs && isOver(task, idleBefore)) await dropTask(lease, document, task)
    }
    await rest()
  }
}

/** A paused task waits for somebody, and keeps its limits for as long as that takes. */
function isOver(task: Task, idleBefore: number): boolean {
  return hasEnded(task) || (task.state === 'running' && task.lastMs < idleBefore)
}

/** Deletes a task unless it has changed or attempts of it are kept; says whether it did. */
export async function dropTask(
  lease: UpkeepLease,
  { id, version }: StoredDocument,
  task: Pick<Task, 'id' | 'books'>,
): Promise<boolean> {
  const args = [id, version, task.id, ...Object.values(task.books as unknown as Record<string, string>)]
  const [isDropped] = await lease.step(UPKEEP_SCRIPTS['drop-task'], args)
  return isDropped === '1'
}
