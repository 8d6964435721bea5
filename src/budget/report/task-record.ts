/** What reports read of a task's past: plain values, from whatever store they come. */
import type { NanoUsd } from '../../shared/money.ts'

/**
 * How a task ended. `success`: done, and a check has passed. `escalated`: handed to a human, `_right` or `_wrong` once a check has
 * judged that. `silent_failure`: ended as if all were well, and a check has failed. `failed`: said so itself. `unverified`: ended, or
 * left alone, and nobody has checked. `open`: not ended.
 */
export const TASK_OUTCOMES = [
  'success',
  'escalated_right',
  'escalated',
  'escalated_wrong',
  'silent_failure',
  'failed',
  'unverified',
  'stopped',
  'cancelled',
  'denied',
  'expired',
  'open',
] as const
export type TaskOutcome = (typeof TASK_OUTCOMES)[number]

/** One attempt that was sent. */
export interface CallRecord {
  /** What it was charged; what is unresolved counts with its hold. */
  readonly cost: NanoUsd
  /** Tool calls that the task had made before it. */
  readonly toolCalls: number
}

export interface TaskRecord {
  readonly type: string
  readonly outcome: TaskOutcome
  /** Settled and unresolved. */
  readonly cost: NanoUsd
  /** Of it, the holds of attempts of which nobody knows yet what they cost. */
  readonly unresolved: NanoUsd
  readonly toolCalls: number
  /** Of these, calls of tools that write. */
  readonly writeCalls: number
  readonly modelCalls: number
  /** Undefined where not all attempts are kept any more. */
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  /** From its first request to its last. */
  readonly seconds: number
  /** Every attempt in its order; undefined as above. */
  readonly calls: readonly CallRecord[] | undefined
}
