import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { dayOf } from '../../shared/day.ts'
import { FIRST_END, Fold, FOLD_COLUMNS, type FoldRow } from './fold.ts'
import { decodeTask, hasEnded, taskBooks, taskKey, type Task } from '../tasks/task.ts'
import { upkeepSteps, type Step } from './upkeep-steps.ts'

const DAY_MS = 86_400_000
/** Rows per transaction: each takes about 10 microseconds, and requests wait for that long. */
const ROWS = 100

export interface RetentionOptions {
  /** Attempts of days before this one (UTC, `YYYY-MM-DD`) fold into the daily totals. */
  readonly before: string
  /** Unix milliseconds: tasks without an end count as ended if their last request is older. */
  readonly idleBefore: number
  /** Drops books out of memory; those that something still needs stay. Returns the ids that are not in memory any more. */
  readonly evict: (books: ReadonlySet<string>) => ReadonlySet<string>
  /** Whether the task is in memory. */
  readonly isLive: (tenant: string, id: string) => boolean
}

/** The first day whose attempts are kept. */
export function keptFrom(nowMs: number, attemptsDays: number): string {
  return dayOf(nowMs - attemptsDays * DAY_MS)
}

/**
 * Deletes what is older than the attempts that are kept: ended attempts (their totals stay), books of days and months, ended tasks with
 * their books. One small transaction per step; `false` = the file was busy, and the same step comes again.
 */
export function* retentionSteps(db: DatabaseSync, options: RetentionOptions): Generator<boolean, void, void> {
  yield* upkeepSteps(db, [oldAttempts(db, options), oldBooks(db, options), oldTasks(db, options)])
}

/** Rows are in the order of their days, as a day never comes back: the first of a later day is the end. */
function oldAttempts(db: DatabaseSync, { before }: RetentionOptions): Step {
  const next = db.prepare(`SELECT ${FOLD_COLUMNS} FROM attempts WHERE row > ? ORDER BY row LIMIT ${ROWS}`)
  const fold = new Fold(db)
  let last = 0
  return () => {
    const rows = next.all(last) as unknown as FoldRow[]
    const end = rows.findIndex(({ day }) => day >= before)
    const old = end === -1 ? rows : rows.slice(0, end)
    const ended = old.filter(({ state }) => state >= FIRST_END)
    if (ended.length > 0) {
      fold.markBefore(before)
      fold.fold(ended)
    }
    const after = old.at(-1)?.row ?? last
    last = after
    return end !== -1 || rows.length < ROWS
  }
}

function oldBooks(db: DatabaseSync, { before, evict }: RetentionOptions): Step {
  const remove = db.prepare('DELETE FROM books WHERE id = ?')
  const next = db.prepare(`SELECT id FROM books WHERE id > ? AND id < ? ORDER BY id LIMIT ${ROWS}`)
  // `key:usd:2026-08:ci` of a month comes after all of its days.
  const ranges = ['key:usd:', 'tenant:usd:'].map((prefix) => ({ last: prefix, end: prefix + before }))
  return () => {
    const range = ranges[0]
    if (range === undefined) return true
    const ids = (next.all(range.last, range.end) as { id: string }[]).map(({ id }) => id)
    for (const id of evict(new Set(ids))) remove.run(id)
    range.last = ids.at(-1) ?? range.last
    if (ids.length < ROWS) ranges.shift()
    return ranges.length === 0
  }
}

function oldTasks(db: DatabaseSync, { before, idleBefore, evict, isLive }: RetentionOptions): Step {
  const next = db.prepare(`SELECT id, text FROM documents WHERE kind = 'task' AND id > ? ORDER BY id LIMIT ${ROWS}`)
  const attempt = db.prepare('SELECT 1 FROM attempts WHERE tenant = ? AND task = ? LIMIT 1')
  const removal = new TaskRemoval(db)
  const beforeMs = Date.parse(before)
  let last = ''
  return () => {
    const rows = next.all(last) as { id: string; text: string }[]
    const old = rows
      .map(({ text }) => decodeTask(text))
      .filter((task) => task.lastMs < beforeMs && isOver(task, idleBefore))
      .filter(({ tenant, id }) => !isLive(tenant, id) && attempt.get(tenant, id) === undefined)
    const gone = evict(new Set(old.flatMap(({ books }) => Object.values(books))))
    for (const task of old) if (Object.values(task.books).every((book) => gone.has(book))) removal.remove(task)
    last = rows.at(-1)?.id ?? last
    return rows.length < ROWS
  }
}

/** A paused task waits for somebody, and keeps its limits for as long as that takes. */
function isOver(task: Task, idleBefore: number): boolean {
  return hasEnded(task) || (task.state === 'running' && task.lastMs < idleBefore)
}

/** Deletes a task with its books, within the caller's transaction. */
export class TaskRemoval {
  readonly #document: StatementSync
  readonly #book: StatementSync

  constructor(db: DatabaseSync) {
    this.#document = db.prepare("DELETE FROM documents WHERE kind = 'task' AND id = ?")
    this.#book = db.prepare('DELETE FROM books WHERE id = ?')
  }

  remove({ tenant, id }: Pick<Task, 'tenant' | 'id'>): void {
    this.#document.run(taskKey(tenant, id))
    for (const book of Object.values(taskBooks(tenant, id))) this.#book.run(book)
  }
}
