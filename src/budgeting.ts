/** Opens the ledger and everything that counts money on top of it; what is opened here is closed in `close`. */
import type { BookkeepingOptions, OpenMoney } from './bookkeeping.ts'
import type { BoundOf, NoteInput } from './budget/hold/bound-of.ts'
import { BudgetAdmitter } from './budget/budget-admitter.ts'
import { BudgetLedger } from './budget/budget-ledger.ts'
import { KeyAdmitter } from './budget/keys/key-admitter.ts'
import { TaskDesk } from './budget/tasks/task-desk.ts'
import type { TaskType } from './budget/tasks/task-limits.ts'
import { taskTypes } from './budget/tasks/task-types.ts'
import { Tasks, type TaskToolCall } from './budget/tasks/tasks.ts'
import { WaitingLines } from './budget/tasks/waiting-line.ts'
import { WallDay } from './budget/wall-day.ts'
import type { Config } from './config/config.ts'
import type { LedgerService } from './control/ledger-operations.ts'
import type { Admitter, Ledger } from './gateway/steps.ts'
import type { TaskService, TaskState } from './gateway/tasks.ts'
import type { ErrorCode } from './shared/errors.ts'
import { openOwnBooks } from './own-books.ts'
import { openSharedBooks } from './shared-books.ts'
import type { NanoUsd } from './shared/money.ts'

export interface BudgetReporter {
  refused(code: ErrorCode): void
  lowered(): void
  exceeded(): void
  taskEnded(task: EndedTask): void
  taskEntered(state: TaskState): void
  /** Absent = nobody wants to know. */
  toolCalled?: ((tenant: string, task: string, call: TaskToolCall) => void) | undefined
}

export interface EndedTask {
  readonly tenant: string
  readonly id: string
  /** A configured type, or `other`. */
  readonly type: string
  readonly outcome: TaskState
  readonly cost: NanoUsd
  readonly toolCalls: number
  /** From its first to its last request. */
  readonly ms: number
}

export interface BudgetingOptions extends Omit<BookkeepingOptions, 'lines' | 'retention' | 'idleMs'> {
  readonly boundOf: BoundOf
  readonly noteInput: NoteInput
  readonly reporter: BudgetReporter
}

export interface Budgeting {
  readonly admitter: Admitter
  readonly ledger: Ledger
  readonly service: TaskService
  readonly upkeep: LedgerService
  openMoney(): OpenMoney
  reload(config: Config): void
  close(): Promise<void>
}

const SWEEP_MS = 60_000

/** Throws StoreProblem where the books cannot be used. */
export async function openBudgeting(config: Config, options: BudgetingOptions): Promise<Budgeting> {
  const { boundOf, noteInput, now, reporter, onEvent } = options
  const lines = new WaitingLines()
  let current = config
  const idleMs = (): number => current.budget.taskIdleMinutes * 60_000
  const kept = { ...options, lines, idleMs, retention: () => current.retention }
  const books =
    config.store.kind === 'redis'
      ? await openSharedBooks(config.store.url.reveal(), kept)
      : await openOwnBooks(config, kept)
  const { ledger, wallNow } = books
  let types: ReadonlyMap<string, TaskType> = taskTypes(config.taskTypes, config.budget.writeTools)
  const tasks = new Tasks({
    store: books.store,
    types: () => types,
    wallNow,
    now,
    idleMs,
    onEnd: ({ tenant, id, type, toolCalls, startedMs, lastMs }, outcome, cost) =>
      reporter.taskEnded({
        tenant,
        id,
        type: types.has(type) ? type : 'other',
        outcome,
        cost,
        toolCalls,
        ms: startedMs === undefined ? 0 : lastMs - startedMs,
      }),
    onState: (state) => reporter.taskEntered(state),
    onTool:
      reporter.toolCalled === undefined ? undefined : ({ tenant, id }, tool) => reporter.toolCalled?.(tenant, id, tool),
  })
  books.serve(tasks)
  const day = new WallDay(wallNow, books.lastDay, (today) => books.keepDay(today))
  const budget = new BudgetLedger({
    ledger,
    tasks,
    lines,
    boundOf,
    noteInput,
    day,
    wallNow,
    now,
    settings: () => current.budget,
    events: {
      refused: (code) => reporter.refused(code),
      lowered: () => reporter.lowered(),
      exceeded: (attempt, model, held, cost) => {
        reporter.exceeded()
        onEvent({ event: 'ledger', what: 'hold exceeded', attempt, model, held, cost })
      },
      alarm: (attempt, what) => onEvent({ event: 'ledger', what: 'alarm', attempt, detail: what }),
    },
  })
  const timer = setInterval(() => {
    const gone = tasks.sweep()
    books.tidy(gone, day.today())
  }, SWEEP_MS)
  timer.unref()
  let closing: Promise<void> | undefined
  const desk = new TaskDesk({ tasks, ledger: books.desk, open: () => books.open(), history: books.past, lines })
  return {
    admitter: books.admitter(new BudgetAdmitter(new KeyAdmitter(), tasks), () => day.today()),
    ledger: budget,
    service: books.service(desk),
    upkeep: books.upkeep(),
    openMoney: () => books.openMoney(),
    reload(next) {
      types = taskTypes(next.taskTypes, next.budget.writeTools)
      current = next
    },
    close() {
      clearInterval(timer)
      // A second signal closes once more while the first is still at it.
      closing ??= books.close()
      return closing
    },
  }
}
