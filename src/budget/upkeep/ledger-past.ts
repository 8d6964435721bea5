import type { AttemptState } from '../ledger/ledger.ts'

export interface PastAttempt {
  readonly id: string
  readonly state: AttemptState
  readonly model: string
  readonly upstream: string
  readonly atMs: number
  readonly hold: number
  readonly cost: number | undefined
  readonly input: number | undefined
  readonly output: number | undefined
}
export interface DailyRow {
  readonly day: string
  readonly tenant: string
  readonly key: string
  readonly type: string
  readonly model: string
  readonly calls: number
  readonly input: number
  readonly output: number
  readonly cost: number
}

type Awaitable<T> = T | Promise<T>

/** What was written, for reports and task pages; never for decisions. */
export interface LedgerPast {
  /** The latest attempts of a task, oldest first. */
  attemptsOf(tenant: string, task: string, most: number): Awaitable<readonly PastAttempt[]>
  /** Documents of a kind whose id starts with `prefix` and comes after `after`. */
  documents(kind: string, prefix: string, after: string, most: number): Awaitable<readonly string[]>
  /** Settled money by who and what, of the days from `from` to `to`, both included. */
  daily(from: string, to: string): Awaitable<readonly DailyRow[]>
}
