import type { DatabaseSync } from 'node:sqlite'
import type { Redis } from 'ioredis'
import { newId } from '../../shared/ids.ts'
import { REDIS_KEYS } from '../../store/redis-client.ts'
import { EVIDENCE, FOLDED, FOLDED_BEFORE, RETENTION, type FoldedDay } from '../upkeep/fold.ts'
import type { AttemptNote } from '../ledger/ledger.ts'
import type { DailyRow } from '../upkeep/ledger-past.ts'
import { encodeEnded, encodeNote } from './redis-records.ts'
import { rootOf } from './redis-scripts.ts'
import { stateOf, type StoredAttempt } from '../ledger/sqlite-journal.ts'
import { tenantOf } from '../tasks/task.ts'

const BATCH = 500
/** Nobody lives who owns them. */
const NO_OWNER = ''

/**
 * Writes a ledger of a gateway on its own, or a backup of shared books, into a Redis without books. Attempts that were under way become
 * unresolved, those that were never sent are left out, as at a gateway's start. The epoch comes last: until then no gateway takes the
 * books. Throws what Redis throws; what was written until then has to be deleted.
 */
export async function loadRedisLedger(db: DatabaseSync, client: Redis): Promise<void> {
  const epoch = newId(`${new Date().toISOString().slice(0, 10)}-`)
  const out = new Batch(client)
  const books = new Books()
  const before = String(
    db.prepare('SELECT text FROM documents WHERE kind = ? AND id = ?').get(RETENTION, FOLDED_BEFORE)?.['text'] ?? '',
  )
  for (const row of rows<{ id: string; settled: number }>(db, "SELECT id, settled FROM books WHERE id LIKE 'task:%'"))
    books.add(tenantOf(row.id.slice(row.id.indexOf(':', 5) + 1)), row.id, 0, row.settled)
  for (const { day, tenant, key, type, model, calls, input, output, cost } of rows<DailyRow>(
    db,
    'SELECT * FROM daily',
  )) {
    const root = rootOf(tenant)
    await out.add('HSET', `${root}:daily:${day}`, `${key}\n${type}\n${model}`, `${calls} ${input} ${output} ${cost}`)
    await out.add('SADD', `${root}:days`, day)
    books.knows(tenant)
    const month = day.slice(0, 7)
    await out.add('ZADD', `${root}:old-books`, '0', `${day}\n${key}`, '0', `${month}\n${key}`)
    // Books of days and months are their totals, as far as they are kept.
    if (day >= before) {
      books.add(tenant, `key:usd:${day}:${key}`, 0, cost)
      books.add(tenant, `tenant:usd:${day}:${tenant}`, 0, cost)
    }
    if (month >= before.slice(0, 7)) books.add(tenant, `key:usd:${month}:${key}`, 0, cost)
  }
  let last = 0
  let number = 0
  for (const row of rows<StoredAttempt>(db, 'SELECT * FROM attempts ORDER BY at, row')) {
    const root = rootOf(row.tenant)
    const state = stateOf(row)
    books.knows(row.tenant)
    if (state === 'settled' || state === 'voided') {
      number = row.at > last ? 0 : number + 1
      last = Math.max(last, row.at)
      const { id, hold, cost, input, output } = row
      const count = (figure: number | null): number | undefined => figure ?? undefined
      const figures = { hold, cost: count(cost), input: count(input), output: count(output) }
      const entry = `${last}-${number}`
      await out.add('XADD', `${root}:past`, entry, 'r', encodeEnded({ id, state, ...figures, note: noteOf(row) }))
      if (row.task !== null) await out.add('RPUSH', `${root}:ended:${row.task}`, entry)
    } else if (state !== 'reserved') {
      const lines = row.lines ?? ''
      for (const [, amount, book] of lines.matchAll(/^(\d+) (.+)$/gm))
        books.add(row.tenant, String(book), Number(amount), 0)
      const fields = ['st', 'unresolved', 'owner', NO_OWNER, 'lines', lines, 'note', encodeNote(noteOf(row))]
      await out.add('HSET', `${root}:attempt:${row.id}`, ...fields)
      await out.add('SADD', `${root}:unresolved`, row.id)
      await out.add('INCRBY', `${root}:unresolved-usd`, String(row.hold))
      if (row.task !== null) await out.add('SADD', `${root}:running:${row.task}`, row.id)
    }
  }
  const tenantOfAttempt = db.prepare('SELECT tenant FROM attempts WHERE id = ?')
  for (const { kind, id, text } of rows<{ kind: string; id: string; text: string }>(db, 'SELECT * FROM documents')) {
    if (kind === FOLDED) await out.folded(id, JSON.parse(text) as FoldedDay, db)
    const tenant = kind === 'task' ? tenantOf(id) : kind === EVIDENCE ? tenantOfAttempt.get(id)?.['tenant'] : undefined
    if (typeof tenant !== 'string') continue
    books.knows(tenant)
    await out.add('HSET', `${rootOf(tenant)}:document:${kind}:${id}`, 'version', '1', 'text', text)
    await out.add('ZADD', `${rootOf(tenant)}:ids:${kind}`, '0', id)
  }
  for (const [tenant, ofTenant] of books.all()) {
    const root = rootOf(tenant)
    for (const [book, { settled, unresolved }] of ofTenant)
      await out.add('SET', `${root}:book:${book}`, `${settled} 0 ${unresolved}`)
    if (before !== '') await out.add('SET', `${root}:folded-before`, before)
    await out.add('SET', root, epoch)
    await out.add('SADD', REDIS_KEYS.tenants, tenant)
  }
  await out.flush()
  await client.set(REDIS_KEYS.epoch, epoch, 'NX')
}

function rows<T>(db: DatabaseSync, query: string): IterableIterator<T> {
  return db.prepare(query).iterate() as IterableIterator<unknown> as IterableIterator<T>
}

function noteOf(row: StoredAttempt): AttemptNote {
  const { tenant, key, task, type: taskType, tools, model, upstream, day, at: atMs } = row
  const toolCalls = tools === null ? {} : { toolCalls: tools }
  return { tenant, key, task: task ?? undefined, taskType, ...toolCalls, model, upstream, day, atMs }
}

class Books {
  readonly #of = new Map<string, Map<string, { settled: number; unresolved: number }>>()

  knows(tenant: string): Map<string, { settled: number; unresolved: number }> {
    const known = this.#of.get(tenant)
    if (known !== undefined) return known
    const books = new Map<string, { settled: number; unresolved: number }>()
    this.#of.set(tenant, books)
    return books
  }

  add(tenant: string, book: string, unresolved: number, settled: number): void {
    const books = this.knows(tenant)
    const found = books.get(book)
    if (found === undefined) books.set(book, { settled, unresolved })
    else {
      found.settled += settled
      found.unresolved += unresolved
    }
  }

  all(): ReadonlyMap<string, ReadonlyMap<string, { readonly settled: number; readonly unresolved: number }>> {
    return this.#of
  }
}

class Batch {
  readonly #client: Redis
  #commands: string[][] = []

  constructor(client: Redis) {
    this.#client = client
  }

  async add(...command: string[]): Promise<void> {
    if (this.#commands.push(command) >= BATCH) await this.flush()
  }

  /** Folded days have no names: each tenant gets what its total has more than its attempts. Voided ones go to the first. */
  async folded(day: string, { voided }: FoldedDay, db: DatabaseSync): Promise<void> {
    const query = `SELECT tenant, sum(calls) AS calls, sum(input) AS input, sum(output) AS output, sum(cost) AS cost FROM (
      SELECT tenant, calls, input, output, cost FROM daily WHERE day = ?1 UNION ALL
      SELECT tenant, -1, -coalesce(input, 0), -coalesce(output, 0), -cost FROM attempts WHERE day = ?1 AND cost IS NOT NULL)
      GROUP BY tenant ORDER BY tenant`
    let left = voided
    for (const { tenant, calls, input, output, cost } of db.prepare(query).all(day) as unknown as DailyRow[]) {
      if (calls === 0 && left === 0) continue
      await this.add('HSET', `${rootOf(tenant)}:folded`, day, `${calls} ${input} ${output} ${cost} ${left}`)
      left = 0
    }
  }

  async flush(): Promise<void> {
    const pipeline = this.#client.pipeline()
    for (const [name = '', ...args] of this.#commands) pipeline.call(name, ...args)
    this.#commands = []
    const results = (await pipeline.exec()) ?? []
    const failed = results.find(([error]) => error !== null)
    if (failed !== undefined) throw failed[0] as Error
  }
}
