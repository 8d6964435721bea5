import type { DatabaseSync } from 'node:sqlite'
import { formatUsd, toNanoUsd } from '../../shared/money.ts'
import { EVIDENCE } from './fold.ts'
import type { Subject } from './forget.ts'
import type { Evidence } from './reconcile.ts'
import { stateOf, type StoredAttempt } from '../ledger/sqlite-journal.ts'
import { decodeTask, taskBooks, taskKey } from '../tasks/task.ts'

/** One line of an export; `type` says what it is. Money is nano-dollars, with dollars beside it; times are ISO 8601. */
export type ExportRecord = { readonly type: 'task' | 'attempt' | 'usage' } & Readonly<Record<string, unknown>>

/** Everything that the ledger knows of a subject: tasks, attempts with the evidence of their cost, and daily totals. */
export function* exportLedger(db: DatabaseSync, subject: Subject): Generator<ExportRecord, void, void> {
  db.exec('BEGIN')
  try {
    yield* tasks(db, subject)
    yield* attempts(db, subject)
    yield* usage(db, subject)
  } finally {
    db.exec('ROLLBACK')
  }
}

/** A user's tasks are those that this user's keys have worked on. */
function* tasks(db: DatabaseSync, { tenant, keys }: Subject): Generator<ExportRecord, void, void> {
  const prefix = taskKey(tenant, '')
  const mine = keys === undefined ? undefined : tasksOf(db, tenant, keys)
  const settledIn = db.prepare('SELECT settled FROM books WHERE id = ?')
  const settled = (book: string): number => (settledIn.get(book) as { settled: number } | undefined)?.settled ?? 0
  const rows = db
    .prepare("SELECT text FROM documents WHERE kind = 'task' AND id > ? AND id < ? ORDER BY id")
    .iterate(prefix, `${prefix}\u{10ffff}`) as IterableIterator<{ text: string }>
  for (const { text } of rows) {
    const task = decodeTask(text)
    if (mine?.has(task.id) === false) continue
    const books = taskBooks(tenant, task.id)
    yield {
      type: 'task',
      tenant,
      id: task.id,
      task_type: task.type,
      state: task.state,
      limits: task.limits,
      metadata: task.metadata,
      ...money('spent', settled(books.usd)),
      tokens: settled(books.tokens),
      model_calls: settled(books.calls),
      tool_calls: task.toolCalls,
      write_calls: task.writeIds.size,
      tool_call_ids: [...task.toolIds],
      created_at: time(task.createdMs),
      started_at: task.startedMs === undefined ? null : time(task.startedMs),
      last_request_at: time(task.lastMs),
    }
  }
}

function* attempts(db: DatabaseSync, { tenant, keys }: Subject): Generator<ExportRecord, void, void> {
  const evidence = db.prepare('SELECT text FROM documents WHERE kind = ? AND id = ?')
  const rows = db.prepare('SELECT * FROM attempts WHERE tenant = ? ORDER BY row').iterate(tenant)
  for (const row of rows as IterableIterator<unknown> as IterableIterator<StoredAttempt>) {
    if (keys?.has(row.key) === false) continue
    const found = evidence.get(EVIDENCE, row.id) as { text: string } | undefined
    const { by, evidence: what, settledMs } = (found === undefined ? {} : JSON.parse(found.text)) as Partial<Evidence>
    yield {
      type: 'attempt',
      tenant,
      key: row.key,
      id: row.id,
      state: stateOf(row),
      task: row.task,
      task_type: row.type,
      model: row.model,
      upstream: row.upstream,
      at: time(row.at),
      ...money('hold', row.hold),
      ...money('cost', row.cost),
      input_tokens: row.input,
      output_tokens: row.output,
      ...(settledMs === undefined ? {} : { evidence: what, settled_by: by, settled_at: time(settledMs) }),
    }
  }
}

function* usage(db: DatabaseSync, { tenant, keys }: Subject): Generator<ExportRecord, void, void> {
  const rows = db
    .prepare('SELECT day, key, type, model, calls, input, output, cost FROM daily WHERE tenant = ? ORDER BY day')
    .iterate(tenant) as IterableIterator<
    Record<'day' | 'key' | 'type' | 'model', string> & Record<'calls' | 'input' | 'output' | 'cost', number>
  >
  for (const { day, key, type, model, calls, input, output, cost } of rows) {
    if (keys?.has(key) === false) continue
    yield {
      type: 'usage',
      tenant,
      key,
      day,
      task_type: type,
      model,
      calls,
      input_tokens: input,
      output_tokens: output,
      ...money('cost', cost),
    }
  }
}

/** Ids of the tasks on which one of these keys has worked, as far as their attempts are kept. */
function tasksOf(db: DatabaseSync, tenant: string, keys: ReadonlySet<string>): ReadonlySet<string> {
  const rows = db
    .prepare(
      'SELECT DISTINCT task FROM attempts WHERE tenant = ? AND task IS NOT NULL AND key IN (SELECT value FROM json_each(?))',
    )
    .all(tenant, JSON.stringify([...keys])) as { task: string }[]
  return new Set(rows.map(({ task }) => task))
}

function money(name: string, amount: number | null): Readonly<Record<string, unknown>> {
  return { [`${name}_nano_usd`]: amount, [`${name}_usd`]: amount === null ? null : formatUsd(toNanoUsd(amount)) }
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
