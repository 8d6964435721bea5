import { crc32 } from 'node:zlib'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AttemptRow, DocumentRow } from './journal.ts'
import { decodeLines, encodeLines } from './ledger-lines.ts'
import type { AttemptNote, AttemptTokens } from './ledger.ts'

/**
 * What must not be lost and is in no other table yet: one row for each turn of the event loop that reserved something. A commit to the
 * tables dirties a page of each and of their indexes; this one page alone costs a quarter of that, and a short attempt then needs one
 * row instead of two writes of it. Every commit to the tables holds all that is in here, and empties it.
 */
export const AHEAD_SCHEMA: string =
  'CREATE TABLE ahead (n INTEGER PRIMARY KEY, text TEXT NOT NULL, sum INTEGER NOT NULL) STRICT'

/** A turn: what was reserved in it, and what had ended since the one before. Ends come along, as the reservations may use what they freed. */
export interface Turn {
  readonly reserved: readonly AttemptRow[]
  readonly ended: readonly AttemptRow[]
  readonly documents: readonly DocumentRow[]
}

/** A row of the log is the JSON of this. */
type Flat = readonly [readonly FlatReserved[], readonly FlatEnded[], readonly FlatDocument[]]
type FlatReserved = readonly [
  id: string,
  isSent: 0 | 1,
  lines: string,
  tenant: string,
  key: string,
  task: string | null,
  taskType: string,
  model: string,
  upstream: string,
  day: string,
  atMs: number,
  toolCalls: number | null,
]
/** Of an attempt that has a row already its number; no amounts = voided. */
type FlatEnded = readonly [which: string | number, amounts: readonly number[] | null, input: number, output: number]
type FlatDocument = readonly [kind: string, id: string, text: string]

/** Writes to the log. Every method throws what SQLite throws. */
export class AheadLog {
  readonly #insert: StatementSync
  readonly #clear: StatementSync
  #isEmpty = false

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO ahead (text, sum) VALUES (?, ?)')
    this.#clear = db.prepare('DELETE FROM ahead')
  }

  append({ reserved, ended, documents }: Turn): void {
    const flat: Flat = [reserved.map(flatReserved), ended.map(flatEnded), documents.map(flatDocument)]
    const text = JSON.stringify(flat)
    this.#insert.run(text, crc32(text))
    this.#isEmpty = false
  }

  /** Within the transaction that writes to the tables what is in the log. */
  clear(): void {
    if (!this.#isEmpty) this.#clear.run()
  }

  /** That transaction is through. */
  cleared(): void {
    this.#isEmpty = true
  }
}

function flatReserved({ id, state, lines, note }: AttemptRow): FlatReserved {
  const { tenant, key, task, taskType, model, upstream, day, atMs, toolCalls } = note
  const isSent = state === 'reserved' ? 0 : 1
  const text = encodeLines(lines)
  return [id, isSent, text, tenant, key, task ?? null, taskType, model, upstream, day, atMs, toolCalls ?? null]
}

function flatEnded({ id, row, settled, tokens }: AttemptRow): FlatEnded {
  return [row ?? id, settled ?? null, tokens?.input ?? 0, tokens?.output ?? 0]
}

function flatDocument({ kind, id, text }: DocumentRow): FlatDocument {
  return [kind, id, text]
}

/** What a killed process has left in the log, as it is to be written to the tables. */
export interface Left {
  readonly attempts: readonly AttemptRow[]
  readonly documents: readonly DocumentRow[]
}

/** The attempt of a row; undefined = it has ended already. */
export type FindRow = (row: number) => AttemptRow | undefined

/** Reads the log. `onDamage` throws for a row whose checksum does not fit. */
export function readAhead(db: DatabaseSync, findRow: FindRow, onDamage: (what: string) => never): Left | undefined {
  const rows = db.prepare('SELECT n, text, sum FROM ahead ORDER BY n').all()
  if (rows.length === 0) return undefined
  const attempts = new Map<string | number, AttemptRow>()
  const documents: DocumentRow[] = []
  for (const { n, text, sum } of rows as unknown as {
    readonly n: number
    readonly text: string
    readonly sum: number
  }[]) {
    if (crc32(text) !== sum) onDamage(`row ${n} of the log`)
    const [reserved, ended, written] = JSON.parse(text) as Flat
    for (const flat of reserved) attempts.set(flat[0], attemptOf(flat))
    for (const [which, settled, input, output] of ended) {
      const attempt = attempts.get(which) ?? (typeof which === 'number' ? findRow(which) : undefined)
      if (attempt !== undefined) attempts.set(which, endOf(attempt, settled, { input, output }))
    }
    for (const [kind, id, words] of written) documents.push({ kind, id, text: words })
  }
  return { attempts: [...attempts.values()], documents }
}

function attemptOf(flat: FlatReserved): AttemptRow {
  const [id, isSent, lines, tenant, key, task, taskType, model, upstream, day, atMs, toolCalls] = flat
  const note: AttemptNote = {
    tenant,
    key,
    task: task ?? undefined,
    taskType,
    ...(toolCalls === null ? {} : { toolCalls }),
    model,
    upstream,
    day,
    atMs,
  }
  const state = isSent === 1 ? 'sent' : 'reserved'
  return { id, state, lines: decodeLines(lines), note, settled: undefined, tokens: undefined, row: undefined }
}

function endOf(attempt: AttemptRow, settled: readonly number[] | null, tokens: AttemptTokens): AttemptRow {
  return settled === null ? { ...attempt, state: 'voided' } : { ...attempt, state: 'settled', settled: settled, tokens }
}
