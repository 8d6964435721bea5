import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { AttemptRow } from '../../../src/budget/ledger/journal.ts'
import { LEDGER_SCHEMA, SqliteJournal } from '../../../src/budget/ledger/sqlite-journal.ts'
import { readTaskHistory, type HistoryFilter } from '../../../src/budget/report/task-history.ts'
import type { TaskRecord } from '../../../src/budget/report/task-record.ts'
import { encodeTask, newTask, taskBooks, taskKey, type Task } from '../../../src/budget/tasks/task.ts'
import { NOTE } from '../../support/ledger-drivers.ts'

const HOUR_MS = 3_600_000
const NOW = Date.parse('2027-01-15T12:00:00Z')

/** A ledger file as the service leaves it. */
function ledger() {
  const db = new DatabaseSync(':memory:')
  onTestFinished(() => db.close())
  db.exec(LEDGER_SCHEMA)
  const journal = new SqliteJournal(db)
  const commit = (batch: Partial<Parameters<SqliteJournal['commit']>[0]>) =>
    journal.commit({ attempts: [], books: [], documents: [], ...batch })
  return {
    db,
    task: (id: string, given: Partial<Task> = {}, settled = 0, calls = 0): void => {
      const task = { ...newTask('acme', id, 'coding', {}, NOW), startedMs: NOW, lastMs: NOW, ...given }
      const books = taskBooks(task.tenant, id)
      commit({
        documents: [{ kind: 'task', id: taskKey(task.tenant, id), text: encodeTask(task) }],
        books: [
          { id: books.usd, settled },
          { id: books.calls, settled: calls },
        ],
      })
    },
    attempt: (task: string, state: AttemptRow['state'], amount: number, toolCalls = 0, tenant = 'acme'): void => {
      commit({
        attempts: [
          {
            id: `${task}/${Math.random()}`,
            state,
            lines: [{ book: taskBooks(tenant, task).usd, amount: 2 * amount, limit: undefined }],
            settled: state === 'settled' ? [amount] : undefined,
            tokens: state === 'settled' ? { input: 100, output: 10 } : undefined,
            note: { ...NOTE, tenant, task, toolCalls },
            row: undefined,
          },
        ],
      })
    },
    read: (filter: HistoryFilter = {}): readonly TaskRecord[] =>
      readTaskHistory(db, filter, { nowMs: NOW, idleMs: HOUR_MS }),
  }
}

test('a task comes back with its books, its attempts in their order and the tool calls before each', () => {
  const { task, attempt, read } = ledger()
  task('t1', { toolCalls: 3, writeIds: new Set(['a']), startedMs: NOW - 5000 }, 30, 2)
  attempt('t1', 'settled', 10, 0)
  attempt('t1', 'voided', 99, 1)
  attempt('t1', 'settled', 20, 3)
  expect(read()).toEqual([
    {
      type: 'coding',
      outcome: 'open',
      cost: 30,
      unresolved: 0,
      toolCalls: 3,
      writeCalls: 1,
      modelCalls: 2,
      inputTokens: 200,
      outputTokens: 20,
      seconds: 5,
      calls: [
        { cost: 10, toolCalls: 0 },
        { cost: 20, toolCalls: 3 },
      ],
    },
  ])
})

test('what is unresolved counts as spent, with its hold, and is told apart', () => {
  const { task, attempt, read } = ledger()
  task('t1', {}, 10, 1)
  attempt('t1', 'settled', 10)
  attempt('t1', 'unresolved', 20)
  expect(read()).toMatchObject([{ cost: 50, unresolved: 40, modelCalls: 2 }])
})

test('a hold of a call under way is not spent', () => {
  const { task, attempt, read } = ledger()
  task('t1')
  attempt('t1', 'sent', 20)
  attempt('t1', 'reserved', 20)
  expect(read()).toMatchObject([{ cost: 0, unresolved: 0, calls: [] }])
})

test('a task whose old attempts were deleted keeps its cost, and says that its calls are not known', () => {
  const { task, attempt, read } = ledger()
  task('t1', {}, 500, 7)
  attempt('t1', 'settled', 10)
  expect(read()).toMatchObject([{ cost: 500, modelCalls: 7, inputTokens: undefined, calls: undefined }])
})

test('a running task that nobody has used for the idle time is taken for ended, unverified', () => {
  const { task, read } = ledger()
  task('idle', { lastMs: NOW - HOUR_MS })
  task('busy', { lastMs: NOW - HOUR_MS + 1 })
  expect(read().map(({ outcome }) => outcome)).toEqual(['open', 'unverified'])
})

test('what "complete" said decides the outcome', () => {
  const { task, read } = ledger()
  const completion = { outcome: 'success', quality: undefined, toolCalls: undefined } as const
  task('a', { state: 'failed', completion: { ...completion, hasPassed: false, isEscalated: false } })
  task('b', { state: 'completed', completion: { ...completion, hasPassed: true, isEscalated: true } })
  expect(read().map(({ outcome }) => outcome)).toEqual(['silent_failure', 'escalated_right'])
})

test('tasks are chosen by the time of their last request, type and tenant; another tenant with the same id is another task', () => {
  const { task, attempt, read } = ledger()
  task('t1', { lastMs: NOW - 1 }, 10, 1)
  task('t1', { tenant: 'globex', lastMs: NOW }, 20, 1)
  task('t2', { type: 'support', lastMs: NOW + 1 })
  attempt('t1', 'settled', 10)
  attempt('t1', 'settled', 20, 0, 'globex')
  expect(read({ tenant: 'globex' })).toMatchObject([{ cost: 20, calls: [{ cost: 20 }] }])
  expect(read({ type: 'support' })).toMatchObject([{ type: 'support' }])
  expect(read({ sinceMs: NOW })).toHaveLength(2)
  expect(read({ untilMs: NOW })).toHaveLength(1)
})
