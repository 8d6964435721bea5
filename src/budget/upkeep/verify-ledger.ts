import type { DatabaseSync } from 'node:sqlite'
import { FIRST_END, FOLDED, FOLDED_BEFORE, RETENTION, SETTLED, type FoldedDay } from './fold.ts'
import { checksum, LEDGER_VERSION } from '../ledger/sqlite-journal.ts'

/** What a ledger file holds, and what is wrong in it. */
export interface Verification {
  readonly attempts: number
  readonly unresolved: number
  readonly days: number
  readonly books: number
  /** Nano-dollars settled, over all days. */
  readonly settled: number
  /** Sentences; none = everything adds up. */
  readonly problems: readonly string[]
}

/** Problems that are named one by one; further ones are only counted. */
const MOST_NAMED = 50

interface Sums {
  readonly calls: number
  readonly input: number
  readonly output: number
  readonly cost: number
}
const NAMES = ['calls', 'input', 'output', 'cost'] as const
const NOTHING: Sums = { calls: 0, input: 0, output: 0, cost: 0 }
const SUMS = 'coalesce(sum(input), 0) AS input, coalesce(sum(output), 0) AS output, coalesce(sum(cost), 0) AS cost'

/**
 * Reads a whole ledger and checks what must hold: the file itself, every checksum, and that attempts, folded days, daily totals and
 * books say the same. Takes some seconds per million attempts. Throws what SQLite throws for a file that it cannot read.
 */
export function verifyLedger(db: DatabaseSync): Verification {
  const found = new Problems()
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version !== LEDGER_VERSION) found.add(`it is no ledger of this version (${version} instead of ${LEDGER_VERSION})`)
  for (const { integrity_check: line } of db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[])
    if (line !== 'ok') found.add(line)
  if (found.count > 0) return { attempts: 0, unresolved: 0, days: 0, books: 0, settled: 0, problems: found.sentences() }
  // One look for all sums, while a service goes on writing.
  db.exec('BEGIN')
  try {
    const before = text(db, RETENTION, FOLDED_BEFORE) ?? ''
    const counts = checkAttempts(db, found)
    const books = checkChecksums(db, found)
    const days = checkDays(db, found)
    checkGroups(db, found)
    checkBooks(db, before, found)
    const { settled } = db.prepare('SELECT coalesce(sum(cost), 0) AS settled FROM daily').get() as { settled: number }
    return { ...counts, days, books, settled, problems: found.sentences() }
  } finally {
    db.exec('ROLLBACK')
  }
}

class Problems {
  readonly #named: string[] = []
  count = 0

  add(sentence: string): void {
    this.count += 1
    if (this.#named.length < MOST_NAMED) this.#named.push(sentence)
  }

  sentences(): readonly string[] {
    const more = this.count - this.#named.length
    return more === 0 ? this.#named : [...this.#named, `and ${more} more`]
  }
}

function checkAttempts(db: DatabaseSync, found: Problems): { attempts: number; unresolved: number } {
  let attempts = 0
  let unresolved = 0
  const rows = db.prepare('SELECT id, state, hold, cost, lines, sum FROM attempts').iterate() as IterableIterator<{
    id: string
    state: number
    hold: number
    cost: number | null
    lines: string | null
    sum: number
  }>
  for (const { id, state, hold, cost, lines, sum } of rows) {
    attempts += 1
    if (state === 2) unresolved += 1
    if (sum !== checksum(id, lines ?? '')) found.add(`attempt ${id}: its checksum does not fit`)
    const isEnded = state >= FIRST_END
    if (isEnded !== (lines === null) || (state === SETTLED) !== (cost !== null) || state < 0 || state > 4)
      found.add(`attempt ${id}: its state and its figures contradict each other`)
    else if (!isEnded && hold !== Number.parseInt(lines ?? '0', 10))
      found.add(`attempt ${id}: it holds ${hold}, and its books ${String(lines).split(' ')[0]}`)
  }
  return { attempts, unresolved }
}

function checkChecksums(db: DatabaseSync, found: Problems): number {
  let books = 0
  const rows = db.prepare('SELECT id, settled, sum FROM books').iterate() as IterableIterator<{
    id: string
    settled: number
    sum: number
  }>
  for (const { id, settled, sum } of rows) {
    books += 1
    if (sum !== checksum(id, settled)) found.add(`book ${id}: its checksum does not fit`)
  }
  return books
}

/** Each day's total is what its attempts and those that were folded cost, to the nano-dollar. */
function checkDays(db: DatabaseSync, found: Problems): number {
  const daily = sumsBy(db, `SELECT day AS name, sum(calls) AS calls, ${SUMS} FROM daily GROUP BY day`)
  const left = sumsBy(
    db,
    `SELECT day AS name, count(*) AS calls, ${SUMS} FROM attempts WHERE state = ${SETTLED} GROUP BY day`,
  )
  const folded = new Map<string, FoldedDay>()
  for (const { id, text: json } of db.prepare('SELECT id, text FROM documents WHERE kind = ?').all(FOLDED) as {
    id: string
    text: string
  }[])
    folded.set(id, JSON.parse(json) as FoldedDay)
  for (const day of new Set([...daily.keys(), ...left.keys(), ...folded.keys()])) {
    const total = daily.get(day) ?? NOTHING
    const attempts = left.get(day) ?? NOTHING
    const gone = folded.get(day) ?? NOTHING
    for (const name of NAMES) {
      const sum = attempts[name] + gone[name]
      if (total[name] !== sum) found.add(`day ${day}: its total of ${name} is ${total[name]}, its attempts make ${sum}`)
    }
  }
  return daily.size
}

/** No group of attempts is more than the group's total. */
function checkGroups(db: DatabaseSync, found: Problems): void {
  const rows = db
    .prepare(
      `SELECT a.*, d.calls AS total, d.cost AS totalCost FROM (
         SELECT day, tenant, key, type, model, count(*) AS calls, sum(cost) AS cost FROM attempts
         WHERE state = ${SETTLED} GROUP BY day, tenant, key, type, model) a
       LEFT JOIN daily d USING (day, tenant, key, type, model)
       WHERE d.calls IS NULL OR a.calls > d.calls OR a.cost > d.cost`,
    )
    .all()
  for (const { day, tenant, key, type, model } of rows)
    found.add(`day ${day}, tenant ${tenant}, key ${key}, ${type}, ${model}: its attempts are more than its total`)
}

/** Books of keys and tenants are their daily totals; a task's book is at least what its attempts cost. */
function checkBooks(db: DatabaseSync, before: string, found: Problems): void {
  const expected = [
    `SELECT 'key:usd:' || day || ':' || key AS id, sum(cost) AS settled FROM daily WHERE day >= ?1 GROUP BY 1`,
    `SELECT 'tenant:usd:' || day || ':' || tenant AS id, sum(cost) AS settled FROM daily WHERE day >= ?1 GROUP BY 1`,
    `SELECT 'key:usd:' || substr(day, 1, 7) || ':' || key AS id, sum(cost) AS settled FROM daily
       WHERE substr(day, 1, 7) || '-01' >= ?1 GROUP BY 1`,
  ]
  for (const query of expected) {
    const rows = db
      .prepare(
        `SELECT e.id, e.settled AS daily, coalesce(b.settled, 0) AS book FROM (${query}) e LEFT JOIN books b USING (id) WHERE daily <> book`,
      )
      .all(before)
    for (const { id, daily, book } of rows) found.add(`book ${id}: it says ${book}, the daily totals ${daily}`)
  }
  const tasks = db
    .prepare(
      `SELECT e.id, e.settled AS attempts, coalesce(b.settled, 0) AS book FROM (
         SELECT 'task:usd:' || replace(replace(tenant, '%', '%25'), '/', '%2F') || '/' || task AS id, sum(cost) AS settled
         FROM attempts WHERE state = ${SETTLED} AND task IS NOT NULL GROUP BY 1) e
       LEFT JOIN books b USING (id) WHERE attempts > book`,
    )
    .all()
  for (const { id, attempts, book } of tasks)
    found.add(`book ${id}: it says ${book}, and the task's attempts cost ${attempts}`)
}

function sumsBy(db: DatabaseSync, query: string): ReadonlyMap<string, Sums> {
  const rows = db.prepare(query).all() as unknown as (Sums & { readonly name: string })[]
  return new Map(rows.map((row) => [row.name, row]))
}

function text(db: DatabaseSync, kind: string, id: string): string | undefined {
  const row = db.prepare('SELECT text FROM documents WHERE kind = ? AND id = ?').get(kind, id)
  return row === undefined ? undefined : String(row['text'])
}
