/** A ledger file with a service's parts around it, without the service: for upkeep. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { JournaledLedger } from '../../src/budget/ledger/journaled-ledger.ts'
import type { AttemptNote, Line } from '../../src/budget/ledger/ledger.ts'
import { SqliteJournal } from '../../src/budget/ledger/sqlite-journal.ts'
import { encodeTask, newTask, taskBooks, taskKey } from '../../src/budget/tasks/task.ts'
import { openLedger } from './ledger-drivers.ts'

/** How an attempt of the test ends; undefined = it does not. */
export type End = { readonly cost: number } | 'void' | 'unresolved' | undefined

export interface TestAttempt {
  readonly day: string
  readonly tenant: string
  readonly key: string
  readonly task?: string | undefined
  readonly type?: string
  readonly model?: string
  readonly hold?: number
  readonly end: End
}

export interface UpkeepWorld {
  readonly dir: string
  readonly path: string
  readonly db: DatabaseSync
  readonly ledger: JournaledLedger
  readonly add: (attempts: readonly TestAttempt[]) => Promise<void>
  /** Rows of the daily totals summed by some of their columns. */
  readonly totals: (...by: readonly string[]) => Readonly<Record<string, string>>
  readonly count: (table: string, where?: string) => number
  close(): Promise<void>
}

export function upkeepWorld(dir: string = mkdtempSync(join(tmpdir(), 'switchyard-upkeep-'))): UpkeepWorld {
  const path = join(dir, 'ledger.sqlite')
  const db = openLedger(path)
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer: setImmediate })
  let number = 0
  return {
    dir,
    path,
    db,
    ledger,
    async add(attempts) {
      const ids: string[] = []
      const reserved = attempts.map((attempt) => {
        const id = `req_${(number += 1)}/1`
        ids.push(id)
        return ledger.reserve({ id, lines: linesOf(attempt), note: noteOf(attempt), sendsAtOnce: true })
      })
      for (const result of await Promise.all(reserved))
        if (result.kind !== 'admitted') throw new Error(`The attempt was answered with ${result.kind}.`)
      for (const [index, attempt] of attempts.entries()) end(ledger, ids[index] as string, attempt)
      for (const { tenant, task, day, type = 'default' } of attempts) {
        if (task === undefined) continue
        const made = newTask(tenant, task, type, {}, Date.parse(day))
        ledger.write('task', taskKey(tenant, task), encodeTask(made))
      }
      await ledger.written()
    },
    totals(...by) {
      const columns = by.map((column) => `"${column}"`).join(" || ' ' || ")
      const rows = db
        .prepare(
          `SELECT ${columns} AS name, sum(calls) || ' ' || sum(input) || ' ' || sum(output) || ' ' || sum(cost) AS sums FROM daily GROUP BY 1 ORDER BY 1`,
        )
        .all() as { name: string; sums: string }[]
      return Object.fromEntries(rows.map(({ name, sums }) => [name, sums]))
    },
    count: (table, where = '1') =>
      (db.prepare(`SELECT count(*) AS count FROM ${table} WHERE ${where}`).get() as { count: number }).count,
    async close() {
      await ledger.close()
      db.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function end(ledger: JournaledLedger, id: string, { end, ...attempt }: TestAttempt): void {
  if (end === undefined) return
  if (end === 'void') ledger.void(id)
  else if (end === 'unresolved') ledger.unresolve(id)
  else {
    const money = linesOf(attempt).map(({ book }) =>
      book.startsWith('task:tokens:') ? 30 : book.startsWith('task:calls:') ? 1 : end.cost,
    )
    ledger.settle(id, money, { input: 10, output: 20 })
  }
}

export function linesOf({ day, tenant, key, task, hold = 1000 }: Omit<TestAttempt, 'end'>): readonly Line[] {
  const spend = [`key:usd:${day}:${key}`, `key:usd:${day.slice(0, 7)}:${key}`, `tenant:usd:${day}:${tenant}`]
  const lines = spend.map((book) => ({ book, amount: hold, limit: undefined }))
  if (task === undefined) return lines
  const books = taskBooks(tenant, task)
  return [
    { book: books.usd, amount: hold, limit: undefined },
    ...lines,
    { book: books.tokens, amount: 50, limit: undefined },
    { book: books.calls, amount: 1, limit: undefined },
  ]
}

export function noteOf({ day, tenant, key, task, type = 'default', model = 'paid' }: TestAttempt): AttemptNote {
  return { day, tenant, key, task, taskType: type, model, upstream: 'sim', atMs: Date.parse(day) }
}
