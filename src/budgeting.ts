/** Opens the ledger and everything that counts money on top of it; what is opened here is closed in `close`. */
import { join } from 'node:path'
import type { BoundOf } from './budget/bound-of.ts'
import { BudgetAdmitter } from './budget/budget-admitter.ts'
import { BudgetLedger } from './budget/budget-ledger.ts'
import { JournaledLedger } from './budget/journaled-ledger.ts'
import { LedgerHistory } from './budget/ledger-history.ts'
import { KeyAdmitter } from './budget/key-admitter.ts'
import type { Journal } from './budget/journal.ts'
import { LEDGER_FILE, openLedgerFile } from './budget/ledger-file.ts'
import { SqliteJournal } from './budget/sqlite-journal.ts'
import { ThreadedJournal } from './budget/threaded-journal.ts'
import { TaskDesk } from './budget/task-desk.ts'
import type { TaskType } from './budget/task-limits.ts'
import { taskTypes } from './budget/task-types.ts'
import { Tasks } from './budget/tasks.ts'
import { WaitingLines } from './budget/waiting-line.ts'
import { WallDay } from './budget/wall-day.ts'
import type { SubjectKeys } from './control/subject-keys.ts'
import type { Config } from './config/config.ts'
import type { Admitter, Ledger } from './gateway/steps.ts'
import type { TaskService, TaskState } from './gateway/tasks.ts'
import type { ErrorCode } from './shared/errors.ts'
import { ZERO_USD, addUsd, type NanoUsd, toNanoUsd } from './shared/money.ts'
import { damaged, lockDataDir } from './store/sqlite-file.ts'
import { StoreProblem } from './store/store-problem.ts'
import { Upkeep } from './upkeep.ts'

export interface BudgetReporter {
  refused(code: ErrorCode): void
  exceeded(): void
  taskEnded(task: EndedTask): void
}

export interface EndedTask {
  readonly tenant: string
  readonly id: string
  /** A configured type, or `other`. */
  readonly type: string
  readonly outcome: TaskState
  readonly cost: NanoUsd
  /** From its first to its last request. */
  readonly ms: number
}

export interface BudgetingOptions {
  readonly boundOf: BoundOf
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Unix milliseconds. */
  readonly wallNow: () => number
  readonly reporter: BudgetReporter
  readonly subjectKeys: () => SubjectKeys
  /** Takes the event log's lines of a tenant, or of some of its requests, out; gives their number. */
  readonly forgetEvents: (tenant: string, requests: ReadonlySet<string> | undefined) => Promise<number>
  /** Takes the event log's lines of before a moment (unix ms) out. */
  readonly expireEvents: (beforeMs: number) => Promise<unknown>
  /** Hears what an operator should see: alarms, trouble with the disk, what was recovered. */
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

/** Money that runs or is not known, for the gauges. */
export interface OpenMoney {
  readonly held: NanoUsd
  readonly unresolved: NanoUsd
}

export interface Budgeting {
  readonly admitter: Admitter
  readonly ledger: Ledger
  readonly service: TaskService
  readonly upkeep: Upkeep
  openMoney(): OpenMoney
  reload(config: Config): void
  close(): Promise<void>
}

const SWEEP_MS = 60_000
const CLOCK = 'clock'
const DAY = 'day'

/** Throws StoreProblem where the ledger is in use by another process, damaged, or cannot be opened. */
export function openBudgeting(config: Config, options: BudgetingOptions): Budgeting {
  const { boundOf, now, wallNow, reporter, onEvent } = options
  const release = lockDataDir(config.dataDir)
  const path = join(config.dataDir, LEDGER_FILE)
  const db = closeOnThrow(release, () => openLedgerFile(path, config.durability))
  const close = (): void => {
    db.close()
    release()
  }
  return closeOnThrow(close, () => {
    const own = new SqliteJournal(db)
    const threaded = config.durability === 'power' ? new ThreadedJournal(path, own) : undefined
    const journal = threaded ?? own
    const lines = new WaitingLines()
    const ledger = openLedger(journal, path, lines, onEvent)
    const { recovered } = ledger
    if (recovered.voided + recovered.unresolved > 0) onEvent({ event: 'ledger', what: 'recovered', ...recovered })
    let current = config
    let types: ReadonlyMap<string, TaskType> = taskTypes(config.taskTypes)
    const tasks = new Tasks({
      store: ledger,
      types: () => types,
      wallNow,
      now,
      idleMs: () => current.budget.taskIdleMinutes * 60_000,
      onEnd: ({ tenant, id, type, startedMs, lastMs }, outcome, cost) =>
        reporter.taskEnded({
          tenant,
          id,
          type: types.has(type) ? type : 'other',
          outcome,
          cost,
          ms: startedMs === undefined ? 0 : lastMs - startedMs,
        }),
    })
    const day = new WallDay(wallNow, ledger.read(CLOCK, DAY), (today) => ledger.write(CLOCK, DAY, today))
    const budget = new BudgetLedger({
      ledger,
      tasks,
      lines,
      boundOf,
      day,
      wallNow,
      now,
      settings: () => current.budget,
      events: {
        refused: (code) => reporter.refused(code),
        exceeded: (attempt, model, held, cost) => {
          reporter.exceeded()
          onEvent({ event: 'ledger', what: 'hold exceeded', attempt, model, held, cost })
        },
        alarm: (attempt, what) => onEvent({ event: 'ledger', what: 'alarm', attempt, detail: what }),
      },
    })
    const timer = setInterval(() => {
      const gone = tasks.sweep()
      const today = day.today()
      // Books of tasks nobody uses, and of days and months that are over.
      ledger.books.evict(({ id }) => gone.has(id) || isOver(id, today))
    }, SWEEP_MS)
    timer.unref()
    const upkeep = new Upkeep({
      path,
      durability: config.durability,
      ledger,
      tasks,
      keys: options.subjectKeys,
      forgetEvents: options.forgetEvents,
      expireEvents: options.expireEvents,
      retention: () => current.retention,
      idleMs: () => current.budget.taskIdleMinutes * 60_000,
      wallNow,
      onEvent,
    })
    upkeep.start()
    let closing: Promise<void> | undefined
    return {
      upkeep,
      admitter: new BudgetAdmitter(new KeyAdmitter(), tasks),
      ledger: budget,
      service: new TaskDesk({ tasks, ledger, history: new LedgerHistory(db), lines }),
      openMoney: () => openMoney(ledger),
      reload(next) {
        types = taskTypes(next.taskTypes)
        current = next
      },
      close() {
        // A second signal closes once more while the first is still at it.
        closing ??= (async () => {
          clearInterval(timer)
          await upkeep.close()
          await ledger.close()
          await threaded?.close()
          close()
        })()
        return closing
      },
    }
  })
}

function openLedger(
  journal: Journal,
  path: string,
  lines: WaitingLines,
  onEvent: BudgetingOptions['onEvent'],
): JournaledLedger {
  try {
    return new JournaledLedger(journal, {
      defer: setImmediate,
      onFreed: (attempt) => {
        for (const { id } of attempt.books) lines.freed(id)
      },
      onTrouble: (error) =>
        onEvent(
          error === undefined
            ? { event: 'ledger', what: 'written again' }
            : { event: 'ledger', what: 'cannot be written', detail: String(error) },
        ),
    })
  } catch (error) {
    if (error instanceof StoreProblem) throw error
    throw damaged(path, error instanceof Error ? error.message : String(error))
  }
}

/** Whether a book is of a day or month before this one: `key:usd:2026-11-24:ci`. */
function isOver(book: string, today: string): boolean {
  const time = /^(?:key|tenant):usd:(\d{4}-\d\d(?:-\d\d)?):/.exec(book)?.[1]
  return time !== undefined && time !== today && time !== today.slice(0, 7)
}

function openMoney(ledger: JournaledLedger): OpenMoney {
  let held = ZERO_USD
  let unresolved = ZERO_USD
  for (const { state, lines } of ledger.books.open()) {
    const amount = toNanoUsd(lines[0]?.amount ?? 0)
    if (state === 'unresolved') unresolved = addUsd(unresolved, amount)
    else held = addUsd(held, amount)
  }
  return { held, unresolved }
}

function closeOnThrow<T>(close: () => void, open: () => T): T {
  try {
    return open()
  } catch (error) {
    close()
    throw error
  }
}
