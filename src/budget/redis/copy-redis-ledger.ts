import type { DatabaseSync } from 'node:sqlite'
import type { RedisLink } from '../../store/redis-link.ts'
import { EVIDENCE, FOLDED, FOLDED_BEFORE, RETENTION, type FoldedDay } from '../upkeep/fold.ts'
import type { DailyRow } from '../upkeep/ledger-past.ts'
import { redisDocuments } from './redis-documents.ts'
import { LeaseTaken, UpkeepLease } from './redis-lease.ts'
import { dailyRows, entriesOf, fieldsOf, RedisPast, type OpenAttempt } from './redis-past.ts'
import { decodeEnded, type EndedAttempt } from './redis-records.ts'
import { UPKEEP_SCRIPTS } from './redis-scripts.ts'
import { checksum, LEDGER_SCHEMA, LEDGER_VERSION } from '../ledger/sqlite-journal.ts'
import { decodeTask } from '../tasks/task.ts'

const PAGE = 1000
/** How long a retention step under way elsewhere is waited for, ms. */
const WAIT_MS = 30_000
const STATES = { reserved: 0, sent: 1, unresolved: 2, settled: 3, voided: 4 } as const

/**
 * Copies the books of all tenants from Redis into an empty SQLite database with the tables of a gateway on its own, so that whatever
 * reads such a ledger (reports, export, checks) reads these as well, and a backup of them is such a file. Gateways go on meanwhile: of
 * each month the totals, books and the end of the attempts that count are read at one moment, and attempts up to there afterwards; no
 * retention runs in between. Throws LeaseTaken, RedisDown and what SQLite throws.
 */
export async function copyRedisLedger(link: RedisLink, db: DatabaseSync, token: string): Promise<void> {
  db.exec(`${LEDGER_SCHEMA}; PRAGMA user_version = ${LEDGER_VERSION}`)
  const past = new RedisPast(link)
  db.exec('BEGIN')
  const writer = new Writer(db)
  let foldedBefore = ''
  for (const tenant of await past.tenants()) {
    const lease = await UpkeepLease.take(link, token, tenant, WAIT_MS)
    if (lease === undefined) throw new LeaseTaken(tenant)
    try {
      await copyTenant(lease, past, writer)
      const before = await lease.read('GET', 'folded-before')
      if (typeof before === 'string' && before > foldedBefore) foldedBefore = before
    } finally {
      await lease.drop().catch(() => {})
    }
  }
  if (foldedBefore !== '') writer.document(RETENTION, FOLDED_BEFORE, foldedBefore)
  writer.finish()
  db.exec('COMMIT')
}

async function copyTenant(lease: UpkeepLease, past: RedisPast, writer: Writer): Promise<void> {
  const { tenant } = lease
  // First, so that an attempt that ends meanwhile is in the copy as open, as ended, or both; and then the end counts.
  const open = new Map((await past.openOf(tenant)).map((attempt) => [attempt.id, attempt]))
  const ends = await copyTotals(lease, writer)
  await copyEnded(lease, ends, (attempt) => {
    open.delete(attempt.id)
    writer.ended(attempt)
  })
  for (const attempt of open.values()) writer.open(attempt)
  for await (const page of redisDocuments(lease, 'task')) {
    await lease.renew()
    for (const { id, text } of page) writer.document('task', id, text)
    // Later than the attempts: a task's book is at least what they cost.
    const books = page.flatMap(({ text }) => Object.values(decodeTask(text).books as unknown as Record<string, string>))
    if (books.length === 0) continue
    const [first = '', ...rest] = books.map((book) => `book:${book}`)
    const found = (await lease.read('MGET', first, ...rest.map((key) => `${lease.root}:${key}`))) as (string | null)[]
    for (const [index, text] of found.entries())
      if (text !== null) writer.book(books[index] as string, Number(text.split(' ')[0]))
  }
  for await (const page of redisDocuments(lease, EVIDENCE)) {
    await lease.renew()
    for (const { id, text } of page) writer.document(EVIDENCE, id, text)
  }
}

/** Returns for each month the last entry of the stream that is in its totals. */
async function copyTotals(lease: UpkeepLease, writer: Writer): Promise<ReadonlyMap<string, string>> {
  const [days, folded] = (await Promise.all([lease.read('SMEMBERS', 'days'), lease.read('HKEYS', 'folded')])) as [
    readonly string[],
    readonly string[],
  ]
  const months = Map.groupBy([...new Set([...days, ...folded])].sort(), (day) => day.slice(0, 7))
  const ends = new Map<string, string>()
  for (const [month, ofMonth] of months) {
    const answer = await lease.step(UPKEEP_SCRIPTS['copy-month'], [lease.tenant, month, ...ofMonth])
    const [end, totals, sums, books] = answer as [string, [string, unknown][], string[], string[]]
    ends.set(month, end)
    for (const [day, fields] of totals)
      for (const row of dailyRows(day, lease.tenant, fieldsOf(fields))) writer.daily(row)
    for (const [day, sum] of Object.entries(fieldsOf(sums))) writer.folded(day, sum)
    for (const [book, settled] of Object.entries(fieldsOf(books))) writer.sharedBook(book, Number(settled))
  }
  return ends
}

async function copyEnded(
  lease: UpkeepLease,
  ends: ReadonlyMap<string, string>,
  found: (attempt: EndedAttempt) => void,
): Promise<void> {
  const last = entriesOf(await lease.read('XREVRANGE', 'past', '+', '-', 'COUNT', '1'))[0]?.entry ?? '0-0'
  for (let from = '-'; ;) {
    const page = entriesOf(await lease.read('XRANGE', 'past', from, last, 'COUNT', String(PAGE)))
    for (const { entry, text } of page) {
      const attempt = decodeEnded(lease.tenant, text)
      const end = ends.get(attempt.note.day.slice(0, 7)) ?? ''
      // Of a month whose totals did not know of it yet it is not there yet either; one that cost nothing is in no total.
      if (attempt.state === 'voided' || (end !== '' && isUpTo(entry, end))) found(attempt)
    }
    if (page.length < PAGE) return
    from = `(${page.at(-1)?.entry}`
    // A long copy keeps its lease.
    await lease.renew()
  }
}

/** Whether an entry is this one or before it: `ms-number`. */
function isUpTo(entry: string, end: string): boolean {
  const [ms = 0, number = 0] = entry.split('-').map(Number)
  const [endMs = 0, endNumber = 0] = end.split('-').map(Number)
  return ms < endMs || (ms === endMs && number <= endNumber)
}

class Writer {
  readonly #attempt
  readonly #book
  readonly #daily
  readonly #document
  /** Books and folded days that several tenants may have: they add up. */
  readonly #shared = new Map<string, number>()
  readonly #folded = new Map<string, FoldedDay>()

  constructor(db: DatabaseSync) {
    this.#attempt = db.prepare(
      'INSERT INTO attempts (id, state, task, tenant, key, type, model, upstream, day, at, hold, cost, input, output, lines, sum, tools) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)',
    )
    this.#book = db.prepare('INSERT INTO books (id, settled, sum) VALUES (?, ?, ?)')
    this.#daily = db.prepare(
      'INSERT INTO daily (day, tenant, key, type, model, calls, input, output, cost) VALUES (?,?,?,?,?,?,?,?,?)',
    )
    this.#document = db.prepare('INSERT INTO documents (kind, id, text) VALUES (?, ?, ?)')
  }

  ended(attempt: EndedAttempt): void {
    this.#write(attempt, attempt.state, attempt.hold, null)
  }

  open({ id, state, lines, note }: OpenAttempt): void {
    const nothing = { cost: undefined, input: undefined, output: undefined }
    const text = lines.map(({ amount, book }) => `${amount} ${book}\n`).join('')
    this.#write({ id, note, ...nothing }, state, lines[0]?.amount ?? 0, text)
  }

  #write(
    { id, note, cost, input, output }: Omit<EndedAttempt, 'state' | 'hold'>,
    state: keyof typeof STATES,
    hold: number,
    lines: string | null,
  ): void {
    const { task = null, tenant, key, taskType, model, upstream, day, atMs, toolCalls = null } = note
    const figures = [hold, cost ?? null, input ?? null, output ?? null, lines, checksum(id, lines ?? ''), toolCalls]
    this.#attempt.run(id, STATES[state], task, tenant, key, taskType, model, upstream, day, atMs, ...figures)
  }

  book(id: string, settled: number): void {
    this.#book.run(id, settled, checksum(id, settled))
  }

  sharedBook(id: string, settled: number): void {
    this.#shared.set(id, (this.#shared.get(id) ?? 0) + settled)
  }

  daily({ day, tenant, key, type, model, calls, input, output, cost }: DailyRow): void {
    this.#daily.run(day, tenant, key, type, model, calls, input, output, cost)
  }

  folded(day: string, text: string): void {
    const [calls = 0, input = 0, output = 0, cost = 0, voided = 0] = text.split(' ').map(Number)
    const before = this.#folded.get(day) ?? { calls: 0, input: 0, output: 0, cost: 0, voided: 0 }
    this.#folded.set(day, {
      calls: before.calls + calls,
      input: before.input + input,
      output: before.output + output,
      cost: before.cost + cost,
      voided: before.voided + voided,
    })
  }

  document(kind: string, id: string, text: string): void {
    this.#document.run(kind, id, text)
  }

  finish(): void {
    for (const [id, settled] of this.#shared) this.book(id, settled)
    for (const [day, sum] of this.#folded) this.document(FOLDED, day, JSON.stringify(sum))
  }
}
