import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { FIRST_END, Fold, FOLD_COLUMNS, type FoldRow } from './fold.ts'
import { freePages } from './free-pages.ts'
import type { DailyRow } from './ledger-past.ts'
import { TaskRemoval } from './retention.ts'
import { checksum } from '../ledger/sqlite-journal.ts'
import { decodeTask, taskKey, type Task } from '../tasks/task.ts'
import { upkeepSteps, type Step } from './upkeep-steps.ts'

/** Stands in totals for tenants, keys and types that were forgotten. */
export const FORGOTTEN = '(forgotten)'
/** Rows per transaction, as for retention. */
const ROWS = 100

/** Whose traces go: everything of a tenant, or what some of its keys have done. */
export interface Subject {
  readonly tenant: string
  /** Names of the keys of one user; undefined = the whole tenant. */
  readonly keys: ReadonlySet<string> | undefined
}

export interface Forgotten {
  attempts: number
  tasks: number
  totals: number
}

export interface ForgetOptions {
  readonly subject: Subject
  /** Drops books out of memory; those that something still needs stay. Returns the ids that are not in memory any more. */
  readonly evict: (books: ReadonlySet<string>) => ReadonlySet<string>
  readonly count: Forgotten
}

/**
 * Takes the names of a subject out of the ledger: its attempts and tasks go, its money stays in the totals under no name. One small
 * transaction per step; `false` = the file was busy, and the same step comes again. The subject must have no open attempt.
 */
export function* forgetSteps(db: DatabaseSync, options: ForgetOptions): Generator<boolean, void, void> {
  yield* upkeepSteps(db, [attemptsAndTasks(db, options), totals(db, options), freePages(db)])
}

function attemptsAndTasks(db: DatabaseSync, options: ForgetOptions): Step {
  const { tenant, keys } = options.subject
  const nextRows = db.prepare(
    `SELECT ${FOLD_COLUMNS}, tenant, key, task FROM attempts WHERE row > ? AND state >= ${FIRST_END} ORDER BY row LIMIT ${ROWS * 10}`,
  )
  const nextTasks = db.prepare(
    `SELECT id, text FROM documents WHERE kind = 'task' AND id > ? AND id < ? ORDER BY id LIMIT ${ROWS}`,
  )
  const others = db.prepare('SELECT 1 FROM attempts WHERE tenant = ? AND task = ? LIMIT 1')
  const fold = new Fold(db)
  const removal = new TaskRemoval(db)
  const prefix = taskKey(tenant, '')
  const touched = new Set<string>()
  let lastRow = 0
  let lastTask = prefix
  let isAtTasks = false
  const remove = (tasks: readonly Task[]): void => {
    const gone = options.evict(new Set(tasks.flatMap(({ books }) => Object.values(books))))
    for (const task of tasks) {
      if (!Object.values(task.books).every((book) => gone.has(book))) continue
      removal.remove(task)
      options.count.tasks += 1
    }
  }
  return () => {
    if (!isAtTasks) {
      const rows = nextRows.all(lastRow) as unknown as (FoldRow & {
        tenant: string
        key: string
        task: string | null
      })[]
      const mine = rows
        .filter((row) => row.tenant === tenant && (keys === undefined || keys.has(row.key)))
        .slice(0, ROWS)
      fold.fold(mine)
      options.count.attempts += mine.length
      for (const { task } of mine) if (task !== null) touched.add(task)
      const isWhole = mine.length < ROWS
      lastRow = (isWhole ? rows.at(-1)?.row : mine.at(-1)?.row) ?? lastRow
      isAtTasks = isWhole && rows.length < ROWS * 10
      return false
    }
    const rows = nextTasks.all(lastTask, `${prefix}\u{10ffff}`) as { id: string; text: string }[]
    const tasks = rows.map(({ text }) => decodeTask(text))
    // A user's task is one that this user's keys alone have worked on.
    remove(
      keys === undefined ? tasks : tasks.filter(({ id }) => touched.has(id) && others.get(tenant, id) === undefined),
    )
    lastTask = rows.at(-1)?.id ?? lastTask
    return rows.length < ROWS
  }
}

/** Gives the daily totals to nobody, and with each the same money in the books of its key and tenant. */
function totals(db: DatabaseSync, { subject: { tenant, keys }, evict, count }: ForgetOptions): Step {
  const select = 'SELECT day, tenant, key, type, model, calls, input, output, cost FROM daily WHERE tenant = ?'
  const next =
    keys === undefined
      ? db.prepare(`${select} AND key <> ? LIMIT ${ROWS}`)
      : db.prepare(`${select} AND key IN (SELECT value FROM json_each(?)) LIMIT ${ROWS}`)
  const remove = db.prepare('DELETE FROM daily WHERE day = ? AND tenant = ? AND key = ? AND type = ? AND model = ?')
  const add = db.prepare(
    `INSERT INTO daily (day, tenant, key, type, model, calls, input, output, cost) VALUES (?,?,?,?,?,?,?,?,?)
     ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, input = input + excluded.input, output = output + excluded.output, cost = cost + excluded.cost`,
  )
  const books = new BookMover(db)
  return () => {
    const rows = next.all(tenant, keys === undefined ? '' : JSON.stringify([...keys])) as unknown as DailyRow[]
    const isTenant = keys === undefined
    const moves = rows.flatMap(({ day, key, cost }) => [
      { from: `key:usd:${day}:${key}`, to: `key:usd:${day}:${FORGOTTEN}`, cost },
      { from: `key:usd:${day.slice(0, 7)}:${key}`, to: `key:usd:${day.slice(0, 7)}:${FORGOTTEN}`, cost },
      ...(isTenant ? [{ from: `tenant:usd:${day}:${tenant}`, to: `tenant:usd:${day}:${FORGOTTEN}`, cost }] : []),
    ])
    const free = evict(new Set(moves.flatMap(({ from, to }) => [from, to])))
    for (const { day, key, type, model, calls, input, output, cost } of rows) {
      remove.run(day, tenant, key, type, model)
      // Types are the tenant's words; of a user the name of the key is enough.
      const [whose, what] = isTenant ? [FORGOTTEN, FORGOTTEN] : [tenant, type]
      add.run(day, whose, FORGOTTEN, what, model, calls, input, output, cost)
    }
    for (const { from, to, cost } of moves) if (free.has(from) && free.has(to)) books.move(from, to, cost)
    count.totals += rows.length
    return rows.length < ROWS
  }
}

class BookMover {
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #delete: StatementSync

  constructor(db: DatabaseSync) {
    this.#read = db.prepare('SELECT settled FROM books WHERE id = ?')
    this.#write = db.prepare(
      'INSERT INTO books (id, settled, sum) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET settled = excluded.settled, sum = excluded.sum',
    )
    this.#delete = db.prepare('DELETE FROM books WHERE id = ?')
  }

  /** Moves as much as is there: retention may have deleted the book. */
  move(from: string, to: string, amount: number): void {
    const source = this.#settled(from)
    if (source === undefined) return
    const moved = Math.min(source, amount)
    if (moved === source) this.#delete.run(from)
    else this.#write.run(from, source - moved, checksum(from, source - moved))
    const target = (this.#settled(to) ?? 0) + moved
    this.#write.run(to, target, checksum(to, target))
  }

  #settled(id: string): number | undefined {
    return (this.#read.get(id) as { settled: number } | undefined)?.settled
  }
}
