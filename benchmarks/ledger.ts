/**
 * `npm run bench:ledger`: what the ledger costs. CPU that budgets add to a request (admit, hold, settle) at 200 requests at a time, next
 * to the same without a ledger; reservations per second with fsync; time until 10^5 open tasks are ready again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LEDGER_FILE, openLedgerFile } from '../src/budget/ledger-file.ts'
import { JournaledLedger } from '../src/budget/journaled-ledger.ts'
import { KeyAdmitter } from '../src/budget/key-admitter.ts'
import { SqliteJournal } from '../src/budget/sqlite-journal.ts'
import { ThreadedJournal } from '../src/budget/threaded-journal.ts'
import { encodeTask, newTask, taskKey } from '../src/budget/task.ts'
import { UnlimitedLedger } from '../src/budget/unlimited-ledger.ts'
import { openBudgeting, type Budgeting } from '../src/budgeting.ts'
import type { Config } from '../src/config/config.ts'
import type { Admitter, Ledger } from '../src/gateway/steps.ts'
import { openHoldBounds } from '../src/hold-bounds.ts'
import { toNanoUsd } from '../src/shared/money.ts'
import { chatRequest, makeCall, target, usage } from '../test/support/fake-steps.ts'

const CALLERS = 200
const ROUNDS = 3
const REQUESTS = 40_000
const OPEN_TASKS = 100_000
const DAY = '2026-11-25'
let calls = 0

const dir = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
try {
  await addedCpu()
  await withFsync()
  await openTasks()
} finally {
  rmSync(dir, { recursive: true, force: true })
}

function open(dataDir: string): Budgeting {
  const config = {
    dataDir,
    durability: 'process',
    taskTypes: { default: { maxUsd: 1_000_000, concurrency: 1000 } },
    budget: { holdWaitMs: 10_000, minOutputTokens: 64, taskIdleMinutes: 60 },
    retention: { attemptsDays: 90, eventsMaxBytes: 0 },
  } as unknown as Config
  const reporter = { refused: () => {}, exceeded: () => {}, taskEnded: () => {} }
  const { boundOf } = openHoldBounds([])
  return openBudgeting(config, {
    boundOf,
    now: () => performance.now(),
    wallNow: Date.now,
    reporter,
    onEvent: () => {},
  })
}

async function addedCpu(): Promise<void> {
  const budgets = open(join(dir, 'cpu'))
  const cases = [
    ['no task', () => undefined],
    ['20 tasks', (i: number) => `a${i % 20}`],
    ['2,000 tasks', (i: number) => `b${i % 2000}`],
  ] as const
  for (const [name, taskOf] of cases) {
    const added: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const without = await cpuPerRequest(new KeyAdmitter(), new UnlimitedLedger(), taskOf)
      const withBudgets = await cpuPerRequest(budgets.admitter, budgets.ledger, taskOf)
      added.push(withBudgets - without)
    }
    added.sort((a, b) => a - b)
    const [least, middle, most] = added.map((each) => each.toFixed(1))
    console.log(
      `added CPU per request, ${name}: ${middle} us (${least} to ${most}, n = ${REQUESTS} x ${ROUNDS}, ${CALLERS} at a time)`,
    )
  }
  await budgets.close()
}

/** Microseconds, with the answer 10 ms away. */
async function cpuPerRequest(
  admitter: Admitter,
  ledger: Ledger,
  taskOf: (i: number) => string | undefined,
): Promise<number> {
  const request = chatRequest({ bodyBytes: 1000, maxOutputTokens: 100 })
  const to = target('m')
  let next = 0
  const started = process.cpuUsage()
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (next < REQUESTS) {
        const id = taskOf(next++)
        const call = makeCall({
          id: `req_${(calls += 1).toString(36).padStart(16, '0')}`,
          task: { id, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
          request,
          startedMs: performance.now(),
        })
        const admission = await admitter.admit(call)
        const hold = await ledger.reserve(call, admission, { callId: call.id, number: 1, target: to })
        await sleep(10)
        await ledger.settle(hold, { kind: 'complete', usage: usage(250, 50) })
        admitter.release(call, admission, usage(250, 50))
      }
    }),
  )
  const { user, system } = process.cpuUsage(started)
  return (user + system) / REQUESTS
}

async function withFsync(): Promise<void> {
  const path = join(dir, 'power.sqlite')
  const db = openLedgerFile(path, 'power')
  const journal = new ThreadedJournal(path, new SqliteJournal(db))
  const ledger = new JournaledLedger(journal, { defer: setImmediate })
  for (const callers of [1, 16, 200]) {
    const count = callers === 1 ? 500 : 20_000
    const latencies: number[] = []
    let next = 0
    const started = performance.now()
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (next < count) {
          const number = next++
          const asked = performance.now()
          const id = `${callers}/${number}`
          await ledger.reserve(reservation(id, `t${number % 100}`))
          latencies.push(performance.now() - asked)
          ledger.settle(id, [500, 500])
        }
      }),
    )
    const perSecond = Math.round(count / ((performance.now() - started) / 1000))
    latencies.sort((a, b) => a - b)
    const at = (share: number): string => (latencies[Math.floor(count * share)] as number).toFixed(2)
    console.log(
      `durability power, ${callers} at a time: ${perSecond} reservations/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    )
  }
  await ledger.close()
  await journal.close()
  db.close()
}

async function openTasks(): Promise<void> {
  const dataDir = join(dir, 'open')
  await open(dataDir).close()
  const db = openLedgerFile(join(dataDir, LEDGER_FILE), 'process')
  const ledger = new JournaledLedger(new SqliteJournal(db), { defer: setImmediate })
  for (let from = 0; from < OPEN_TASKS; from += 1000) {
    await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const task = newTask('default', `task-${from + i}`, 'default', { usd: toNanoUsd(25e9) }, Date.now())
        ledger.write('task', taskKey('default', task.id), encodeTask(task))
        await ledger.reserve(reservation(task.id, task.id))
        ledger.settle(task.id, [500, 500])
      }),
    )
  }
  await ledger.close()
  db.close()
  const started = performance.now()
  const budgets = open(dataDir)
  const ready = performance.now() - started
  await budgets.close()
  console.log(`${OPEN_TASKS} open tasks: ledger ready in ${ready.toFixed(0)} ms`)
}

function reservation(id: string, task: string): Parameters<JournaledLedger['reserve']>[0] {
  return {
    id,
    sendsAtOnce: true,
    lines: [
      { book: `task:usd:default/${task}`, amount: 1000, limit: 25e9 },
      { book: `key:usd:${DAY}:ci`, amount: 1000, limit: undefined },
    ],
    note: { tenant: 'default', key: 'ci', task, taskType: 'default', model: 'm', upstream: 'u', day: DAY, atMs: 1 },
  }
}
