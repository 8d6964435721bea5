import type { ErrorCode } from '../shared/errors.ts'

/** Share of traffic that may be retries, so that a failing upstream is not hit twice as hard (Google SRE book, "Handling Overload"). */
const BUDGET_SHARE = 0.1
/** Retries that are there from the start, so that the first failures of a quiet service are retried too. */
const BUDGET_FLOOR = 10
const BACKOFF_BASE_MS = 50
const BACKOFF_CAP_MS = 2000

/** Tokens for retries: every request adds a tenth of one, every retry takes one. */
export class RetryBudget {
  #tokens = BUDGET_FLOOR

  request(): void {
    this.#tokens = Math.min(BUDGET_FLOOR, this.#tokens + BUDGET_SHARE)
  }

  /** Takes a token if there is one. */
  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

/** Faults after which the same upstream may answer if asked again. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_error',
  'upstream_garbage',
  'upstream_empty',
  'upstream_stream_truncated',
  'upstream_overloaded',
])

export interface RetryInput {
  readonly code: ErrorCode
  readonly contentSent: boolean
  /** Tries made so far, 1 or more. */
  readonly tries: number
  readonly retries: number
  /** When the upstream wants to be asked again, if it has said so, ms. */
  readonly retryAfterMs: number | undefined
  /** Whether another replica could take the request. */
  readonly hasOther: boolean
}

/** Whether a failed try may be repeated on this upstream. Time-outs are not: the caller has waited long enough. */
export function mayRetry(input: RetryInput): boolean {
  if (input.contentSent || input.tries > input.retries) return false
  // A limit is passed on with its retry time, never slept on and never asked sooner; another replica may have room, though.
  if (input.code === 'upstream_rate_limited' || input.retryAfterMs !== undefined) return input.hasOther
  return PASSING.has(input.code)
}

/** Full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog 2015): a random time up to the doubled base, ms. */
export function backoffMs(tries: number, random: () => number): number {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (tries - 1))
}
