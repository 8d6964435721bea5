import type { DatabaseSync } from 'node:sqlite'
import { addUsd, toNanoUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import { decodeTask, taskKey, type Task } from '../tasks/task.ts'
import { taskOutcome } from './task-outcome.ts'
import type { CallRecord, TaskRecord } from './task-record.ts'

export interface HistoryFilter {
  /** Unix milliseconds of a task's last request: from `sinceMs` up to, not with, `untilMs`. Absent = open. */
  readonly sinceMs?: number
  readonly untilMs?: number
  readonly type?: string
  readonly tenant?: string
}
export interface HistoryOptions {
  readonly nowMs: number
  /** How long after its last request a running task counts as ended, unverified (`budget.taskIdleMinutes`). */
  readonly idleMs: number
}

/** Attempts of a task that cost something, or may have. */
interface KeptCalls {
  readonly calls: CallRecord[]
  settled: NanoUsd
  unresolved: NanoUsd
  unresolvedCalls: number
  input: number
  output: number
}
interface AttemptRow {
  readonly tenant: string
  readonly task: string
  readonly state: number
  readonly hold: number
  readonly cost: number | null
  readonly input: number | null
  readonly output: number | null
  readonly tools: number | null
}

/** As `sqlite-journal.ts` writes them. */
const UNRESOLVED = 2
const SETTLED = 3

/**
 * The tasks of a ledger file, as its books stand. Everything is read at one moment, so that it adds up while a service writes. Throws
 * what SQLite throws.
 */
export function readTaskHistory(
  db: DatabaseSync,
  filter: HistoryFilter,
  options: HistoryOptions,
): readonly TaskRecord[] {
  db.exec('BEGIN')
  try {
    const tasks = readTasks(db, filter)
    const kept = readCalls(db, new Set(tasks.map(({ tenant, id }) => taskKey(tenant, id))))
    const settledIn = db.prepare('SELECT settled FROM books WHERE id = ?')
    const settled = (book: string): number => (settledIn.get(book) as { settled: number } | undefined)?.settled ?? 0
    return tasks.map((task) => recordOf(task, kept.get(taskKey(task.tenant, task.id)) ?? noCalls(), settled, options))
  } finally {
    db.exec('ROLLBACK')
  }
}

/** What is kept of a task while the attempts are read: a file may hold very many. */
type PastTask = Pick<
  Task,
  'tenant' | 'id' | 'type' | 'books' | 'state' | 'startedMs' | 'lastMs' | 'toolCalls' | 'completion'
> & { readonly writeCalls: number }

function readTasks(db: DatabaseSync, filter: HistoryFilter): readonly PastTask[] {
  const found: PastTask[] = []
  const rows = db.prepare("SELECT text FROM documents WHERE kind = 'task' ORDER BY id").iterate()
  for (const { text } of rows as Iterable<unknown> as Iterable<{ readonly text: string }>) {
    const { tenant, id, type, books, state, startedMs, lastMs, toolCalls, writeIds, completion } = decodeTask(text)
    const writeCalls = writeIds.size
    const task = { tenant, id, type, books, state, startedMs, lastMs, toolCalls, writeCalls, completion }
    if (isWanted(task, filter)) found.push(task)
  }
  return found
}

function isWanted(task: PastTask, { sinceMs = -Infinity, untilMs = Infinity, type, tenant }: HistoryFilter): boolean {
  return (
    task.lastMs >= sinceMs &&
    task.lastMs < untilMs &&
    (type === undefined || task.type === type) &&
    (tenant === undefined || task.tenant === tenant)
  )
}

function readCalls(db: DatabaseSync, wanted: ReadonlySet<string>): ReadonlyMap<string, KeptCalls> {
  const found = new Map<string, KeptCalls>()
  const rows = db
    .prepare(
      'SELECT tenant, task, state, hold, cost, input, output, tools FROM attempts WHERE task IS NOT NULL AND state IN (?, ?) ORDER BY tenant, task, row',
    )
    .iterate(UNRESOLVED, SETTLED)
  for (const row of rows as Iterable<unknown> as Iterable<AttemptRow>) {
    const key = taskKey(row.tenant, row.task)
    if (!wanted.has(key)) continue
    let kept = found.get(key)
    if (kept === undefined) found.set(key, (kept = noCalls()))
    const isUnresolved = row.state === UNRESOLVED
    const cost = toNanoUsd(isUnresolved ? row.hold : (row.cost ?? 0))
    kept.calls.push({ cost, toolCalls: row.tools ?? 0 })
    if (isUnresolved) {
      kept.unresolved = addUsd(kept.unresolved, cost)
      kept.unresolvedCalls += 1
    } else kept.settled = addUsd(kept.settled, cost)
    kept.input += row.input ?? 0
    kept.output += row.output ?? 0
  }
  return found
}

function noCalls(): KeptCalls {
  return { calls: [], settled: ZERO_USD, unresolved: ZERO_USD, unresolvedCalls: 0, input: 0, output: 0 }
}

function recordOf(
  task: PastTask,
  kept: KeptCalls,
  settledIn: (book: string) => number,
  options: HistoryOptions,
): TaskRecord {
  const settled = toNanoUsd(settledIn(task.books.usd))
  // Retention folds old attempts; the books keep their sum.
  const isWhole = kept.settled === settled
  return {
    type: task.type,
    outcome: outcomeOf(task, options),
    cost: addUsd(settled, kept.unresolved),
    unresolved: kept.unresolved,
    toolCalls: task.toolCalls,
    writeCalls: task.writeCalls,
    modelCalls: settledIn(task.books.calls) + kept.unresolvedCalls,
    inputTokens: isWhole ? kept.input : undefined,
    outputTokens: isWhole ? kept.output : undefined,
    seconds: task.startedMs === undefined ? 0 : Math.max(0, task.lastMs - task.startedMs) / 1000,
    calls: isWhole ? kept.calls : undefined,
  }
}

function outcomeOf({ state, lastMs, completion }: PastTask, { nowMs, idleMs }: HistoryOptions): TaskRecord['outcome'] {
  return taskOutcome({
    state: state === 'running' && nowMs - lastMs >= idleMs ? 'completed_unverified' : state,
    claimed: completion?.outcome,
    hasPassed: completion?.hasPassed,
    isEscalated: completion?.isEscalated ?? false,
  })
}
