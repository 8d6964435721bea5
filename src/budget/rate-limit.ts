import type { KeyLimiter } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'

const MINUTE_MS = 60_000

/** A bucket that holds `perMinute` and refills evenly, so that a limit of 600 a minute also means about 10 a second in the long run. */
class Bucket {
  readonly limit: number
  #level: number
  #updatedMs: number

  constructor(limit: number, nowMs: number) {
    this.limit = limit
    this.#level = limit
    this.#updatedMs = nowMs
  }

  level(nowMs: number): number {
    const passed = Math.max(0, nowMs - this.#updatedMs)
    this.#level = Math.min(this.limit, this.#level + (passed * this.limit) / MINUTE_MS)
    this.#updatedMs = nowMs
    return this.#level
  }

  take(amount: number, nowMs: number): void {
    this.#level = Math.min(this.limit, this.level(nowMs) - amount)
  }

  /** Milliseconds until `amount` is there. */
  waitMs(amount: number, nowMs: number): number {
    const missing = Math.min(amount, this.limit) - this.level(nowMs)
    return missing <= 0 ? 0 : Math.ceil((missing * MINUTE_MS) / this.limit)
  }

  resetMs(nowMs: number): number {
    return Math.ceil(((this.limit - this.level(nowMs)) * MINUTE_MS) / this.limit)
  }
}

/**
 * Requests and tokens per minute of one key, in this process. Tokens are taken as expected and corrected when known, so the
 * level may go below zero for a while; the next request then waits.
 */
export class RateLimit implements KeyLimiter {
  readonly #requests: Bucket | undefined
  readonly #tokens: Bucket | undefined
  readonly #now: () => number

  /** Limits per minute, undefined = none. `now` gives monotonic milliseconds. */
  constructor(requestsPerMinute: number | undefined, tokensPerMinute: number | undefined, now: () => number) {
    this.#now = now
    this.#requests = requestsPerMinute === undefined ? undefined : new Bucket(requestsPerMinute, now())
    this.#tokens = tokensPerMinute === undefined ? undefined : new Bucket(tokensPerMinute, now())
  }

  admit(tokens: number): void {
    const now = this.#now()
    const requestWait = this.#requests?.waitMs(1, now) ?? 0
    const tokenWait = this.#tokens?.waitMs(Math.max(1, tokens), now) ?? 0
    if (requestWait > 0 || tokenWait > 0) {
      const [what, limit] =
        requestWait >= tokenWait ? ['requests', this.#requests?.limit] : ['tokens', this.#tokens?.limit]
      throw new SwitchyardError(
        'rate_limit_exceeded',
        `This key may use ${limit} ${what} per minute, and they are used up.`,
        {
          retryAfterMs: Math.max(requestWait, tokenWait),
        },
      )
    }
    this.#requests?.take(1, now)
    this.#tokens?.take(tokens, now)
  }

  settle(expected: number, used: number): void {
    this.#tokens?.take(used - expected, this.#now())
  }

  headers(): Readonly<Record<string, string>> {
    const now = this.#now()
    const headers: Record<string, string> = {}
    for (const [name, bucket] of [
      ['requests', this.#requests],
      ['tokens', this.#tokens],
    ] as const) {
      if (bucket === undefined) continue
      headers[`x-ratelimit-limit-${name}`] = String(bucket.limit)
      headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, Math.floor(bucket.level(now))))
      headers[`x-ratelimit-reset-${name}`] = duration(bucket.resetMs(now))
    }
    return headers
  }
}

/** OpenAI's form of a duration: `120ms`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  if (ms < MINUTE_MS) return `${Math.ceil(ms / 100) / 10}s`
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
