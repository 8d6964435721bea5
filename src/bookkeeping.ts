/** Where the books are kept: the parts of the budgeting that differ between one gateway on its own and several that share them. */
import type { AttemptLedger, AttemptView } from './budget/ledger/ledger.ts'
import type { LedgerPast } from './budget/upkeep/ledger-past.ts'
import type { TaskDeskOptions } from './budget/tasks/task-desk.ts'
import type { Tasks, TaskStore } from './budget/tasks/tasks.ts'
import type { WaitingLines } from './budget/tasks/waiting-line.ts'
import type { LedgerService } from './control/ledger-operations.ts'
import type { SubjectKeys } from './control/subject-keys.ts'
import type { Admitter } from './gateway/steps.ts'
import type { TaskService } from './gateway/tasks.ts'
import type { NanoUsd } from './shared/money.ts'

export interface BookkeepingOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Unix milliseconds. */
  readonly wallNow: () => number
  readonly lines: WaitingLines
  readonly subjectKeys: () => SubjectKeys
  /** Takes the event log's lines of a tenant, or of some of its requests, out; gives their number. */
  readonly forgetEvents: (tenant: string, requests: ReadonlySet<string> | undefined) => Promise<number>
  /** Deletes stored responses of a tenant, or of some of its keys; gives their number. */
  readonly forgetResponses: (tenant: string, keys: ReadonlySet<string> | undefined) => Promise<number>
  /** Takes the event log's lines of before a moment (unix ms) out. */
  readonly expireEvents: (beforeMs: number) => Promise<unknown>
  readonly retention: () => { readonly attemptsDays: number; readonly eventsDays: number }
  readonly idleMs: () => number
  /** Hears what an operator should see: alarms, trouble with the store, what was recovered. */
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

/** Money that runs or is not known, for the gauges. */
export interface OpenMoney {
  readonly held: NanoUsd
  readonly unresolved: NanoUsd
}

export interface Bookkeeping {
  readonly ledger: AttemptLedger
  readonly store: TaskStore
  readonly desk: TaskDeskOptions['ledger']
  readonly past: LedgerPast
  /** Attempts without an end. */
  open(): Iterable<OpenAttempt> | Promise<Iterable<OpenAttempt>>
  openMoney(): OpenMoney
  /** What an operator does with the ledger; there from `serve` on. */
  upkeep(): LedgerService
  /** Unix milliseconds by which days and tasks are counted. */
  readonly wallNow: () => number
  /** Latest day that was counted; undefined = none yet. */
  readonly lastDay: string | undefined
  keepDay(day: string): void
  /** Called once, when the tasks are there. */
  serve(tasks: Tasks): void
  /** What has to happen before a call is admitted. */
  admitter(inner: Admitter, today: () => string): Admitter
  /** What has to happen before somebody works on a task. */
  service(inner: TaskService): TaskService
  /** Drops what is not needed in memory: `gone` = books of tasks that nobody uses. */
  tidy(gone: ReadonlySet<string>, today: string): void
  close(): Promise<void>
}

type OpenAttempt = Pick<AttemptView, 'note' | 'lines' | 'state'>
