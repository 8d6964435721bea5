import { crc32 } from 'node:zlib'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { AHEAD_SCHEMA, AheadLog, readAhead, type Turn } from './ahead-log.ts'
import type { AttemptRow, Batch, Journal, OpenAttempt } from './journal.ts'
import { decodeLines, encodeLines } from './ledger-lines.ts'
import type { AttemptNote, AttemptState } from './ledger.ts'

/** Version of the tables below. */
export const LEDGER_VERSION = 2
/** What takes a file of an earlier version one step further. */
export const LEDGER_UPGRADES: Readonly<Record<number, string>> = { 1: AHEAD_SCHEMA }
/** Tables that are small and hold money: read through at start. */
export const LEDGER_CHECKED: readonly string[] = ['books', 'daily', 'documents', 'ahead']
/**
 * `attempts`: one row each; `lines` only while it is open. `books`: what is settled. `daily`: the same money by who and what, for
 * reports, so that old attempts can be deleted and totals still add up. `sum` is a CRC-32 over what must not change by itself.
 */
export const LEDGER_SCHEMA: string = `
CREATE TABLE attempts (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL, state INTEGER NOT NULL, task TEXT, tenant TEXT NOT NULL, key TEXT NOT NULL,
  type TEXT NOT NULL, model TEXT NOT NULL, upstream TEXT NOT NULL, day TEXT NOT NULL, at INTEGER NOT NULL,
  hold INTEGER NOT NULL, cost INTEGER, input INTEGER, output INTEGER, lines TEXT, sum INTEGER NOT NULL, tools INTEGER
) STRICT;
CREATE INDEX attempts_open ON attempts (row) WHERE state < 3;
CREATE INDEX attempts_of_task ON attempts (tenant, task) WHERE task IS NOT NULL;
CREATE TABLE books (id TEXT PRIMARY KEY, settled INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE daily (
  day TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, model TEXT NOT NULL,
  calls INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY (day, tenant, key, type, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
${AHEAD_SCHEMA}`

const STATES: readonly AttemptState[] = ['reserved', 'sent', 'unresolved', 'settled', 'voided']
const STATE_NUMBERS: Readonly<Record<AttemptState, number>> = {
  reserved: 0,
  sent: 1,
  unresolved: 2,
  settled: 3,
  voided: 4,
}

/** A row whose checksum does not fit: the file was damaged in a way that SQLite does not see. */
export class DamagedRow extends Error {}

interface DailySum {
  readonly note: AttemptNote
  calls: number
  input: number
  output: number
  cost: number
}

/** Writes the ledger to SQLite and reads it back. Every method throws what SQLite throws. */
export class SqliteJournal implements Journal {
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #writeBook: StatementSync
  readonly #writeDaily: StatementSync
  readonly #writeDocument: StatementSync
  readonly #readBook: StatementSync
  readonly #readDocument: StatementSync
  readonly #ahead: AheadLog

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#ahead = new AheadLog(db)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#insert = db.prepare(
      'INSERT INTO attempts (id, state, task, tenant, key, type, model, upstream, day, at, hold, cost, input, output, lines, sum, tools) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)',
    )
    this.#update = db.prepare(
      'UPDATE attempts SET state = ?, cost = ?, input = ?, output = ?, lines = ?, sum = ? WHERE row = ?',
    )
    this.#writeBook = db.prepare(
      'INSERT INTO books (id, settled, sum) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET settled = excluded.settled, sum = excluded.sum',
    )
    this.#writeDaily = db.prepare(
      `INSERT INTO daily (day, tenant, key, type, model, calls, input, output, cost) VALUES (?,?,?,?,?,?,?,?,?)
       ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, input = input + excluded.input, output = output + excluded.output, cost = cost + excluded.cost`,
    )
    this.#writeDocument = db.prepare(
      'INSERT INTO documents (kind, id, text) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
    )
    this.#readBook = db.prepare('SELECT settled, sum FROM books WHERE id = ?')
    this.#readDocument = db.prepare('SELECT text FROM documents WHERE kind = ? AND id = ?')
  }

  settledIn(book: string): number {
    const row = this.#readBook.get(book) as { settled: number; sum: number } | undefined
    if (row === undefined) return 0
    if (row.sum !== checksum(book, row.settled)) throw new DamagedRow(`book ${book}`)
    return row.settled
  }

  document(kind: string, id: string): string | undefined {
    return (this.#readDocument.get(kind, id) as { text: string } | undefined)?.text
  }

  append(turn: Turn): void {
    this.#ahead.append(turn)
  }

  commit(batch: Batch): readonly number[] {
    return this.#transact(() => {
      const rows = batch.attempts.map((attempt) => this.#write(attempt))
      for (const { id, settled } of batch.books) this.#writeBook.run(id, settled, checksum(id, settled))
      for (const sum of dailySums(batch.attempts)) {
        const { day, tenant, key, taskType, model } = sum.note
        this.#writeDaily.run(day, tenant, key, taskType, model, sum.calls, sum.input, sum.output, sum.cost)
      }
      for (const { kind, id, text } of batch.documents) this.#writeDocument.run(kind, id, text)
      this.#ahead.clear()
      return rows
    })
  }

  /** Throws DamagedRow where a hold does not check, or the log of an earlier process: it must not become free money. */
  openAttempts(): readonly OpenAttempt[] {
    this.#takeOver()
    const rows = this.#db.prepare('SELECT * FROM attempts INDEXED BY attempts_open WHERE state < 3 ORDER BY row').all()
    return (rows as unknown as StoredAttempt[]).map(openAttemptOf)
  }

  /** Runs `work` as one transaction, after which nothing is in the log. */
  #transact<T>(work: () => T): T {
    this.#begin.run()
    try {
      const result = work()
      this.#commit.run()
      this.#ahead.cleared()
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** Moves what a killed process has left in the log to the tables. */
  #takeOver(): void {
    const find = this.#db.prepare('SELECT * FROM attempts WHERE row = ?')
    const openRow = (row: number): AttemptRow | undefined => {
      const stored = find.get(row) as StoredAttempt | undefined
      if (stored === undefined || stored.lines === null) return undefined
      const { row: number, attempt } = openAttemptOf(stored)
      return { ...attempt, row: number, settled: undefined, tokens: undefined }
    }
    const left = readAhead(this.#db, openRow, (what) => {
      throw new DamagedRow(what)
    })
    if (left === undefined) return
    const books = new Map<string, number>()
    for (const { lines, settled } of left.attempts) {
      for (const [index, amount] of settled?.entries() ?? []) {
        const { book } = lines[index] as AttemptRow['lines'][number]
        books.set(book, (books.get(book) ?? this.settledIn(book)) + amount)
      }
    }
    this.commit({ ...left, books: [...books].map(([id, settled]) => ({ id, settled })) })
  }

  #write(attempt: AttemptRow): number {
    const { note, state, settled, tokens } = attempt
    const isOver = state === 'settled' || state === 'voided'
    const lines = isOver ? null : encodeLines(attempt.lines)
    const sum = checksum(attempt.id, lines ?? '')
    const cost = settled?.[0] ?? null
    const input = tokens?.input ?? null
    const output = tokens?.output ?? null
    const number = STATE_NUMBERS[state]
    if (attempt.row !== undefined) {
      this.#update.run(number, cost, input, output, lines, sum, attempt.row)
      return attempt.row
    }
    const hold = attempt.lines[0]?.amount ?? 0
    const { tenant, key, taskType, model, upstream, day, atMs } = note
    const task = note.task ?? null
    const { lastInsertRowid } = this.#insert.run(
      attempt.id,
      number,
      task,
      tenant,
      key,
      taskType,
      model,
      upstream,
      day,
      atMs,
      hold,
      cost,
      input,
      output,
      lines,
      sum,
      note.toolCalls ?? null,
    )
    return Number(lastInsertRowid)
  }
}

export interface StoredAttempt {
  readonly row: number
  readonly id: string
  readonly state: number
  readonly task: string | null
  readonly tenant: string
  readonly key: string
  readonly type: string
  readonly model: string
  readonly upstream: string
  readonly day: string
  readonly at: number
  readonly hold: number
  readonly cost: number | null
  readonly input: number | null
  readonly output: number | null
  readonly lines: string | null
  readonly sum: number
  /** Tool calls of the task before it. */
  readonly tools: number | null
}

/** The state that a row's number stands for. */
export function stateOf(row: StoredAttempt): AttemptState {
  return STATES[row.state] as AttemptState
}

/** Throws DamagedRow. */
function openAttemptOf(row: StoredAttempt): OpenAttempt {
  const lines = row.lines ?? ''
  if (row.sum !== checksum(row.id, lines)) throw new DamagedRow(`attempt ${row.id}`)
  const state = STATES[row.state] as OpenAttempt['attempt']['state']
  return { row: row.row, attempt: { id: row.id, state, lines: decodeLines(lines), note: noteOf(row) } }
}

function noteOf(row: StoredAttempt): AttemptNote {
  return {
    tenant: row.tenant,
    key: row.key,
    task: row.task ?? undefined,
    taskType: row.type,
    ...(row.tools === null ? {} : { toolCalls: row.tools }),
    model: row.model,
    upstream: row.upstream,
    day: row.day,
    atMs: row.at,
  }
}

/** Guards what a flipped bit must not change: the lines of an open attempt, what is settled in a book. */
export function checksum(id: string, value: string | number): number {
  return crc32(`${id}\n${value}`)
}

/** Settled attempts, summed by day, tenant, key, type and model. */
function dailySums(attempts: readonly AttemptRow[]): Iterable<DailySum> {
  const sums = new Map<string, DailySum>()
  for (const { state, note, settled, tokens } of attempts) {
    if (state !== 'settled') continue
    const key = `${note.day}\n${note.tenant}\n${note.key}\n${note.taskType}\n${note.model}`
    let sum = sums.get(key)
    if (sum === undefined) {
      sum = { note, calls: 0, input: 0, output: 0, cost: 0 }
      sums.set(key, sum)
    }
    sum.calls += 1
    sum.input += tokens?.input ?? 0
    sum.output += tokens?.output ?? 0
    sum.cost += settled?.[0] ?? 0
  }
  return sums.values()
}
