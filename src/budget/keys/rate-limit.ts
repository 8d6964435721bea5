import type { KeyLimiter } from '../../gateway/steps.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { SlidingWindow, WINDOW_MS } from './sliding-window.ts'

/** Nobody knows when a running call will end; a second is short for a person and long for a machine. */
const CONCURRENCY_RETRY_MS = 1000

/** What a key may do; undefined = no limit. */
export interface RateLimits {
  readonly requestsPerMinute: number | undefined
  readonly tokensPerMinute: number | undefined
  /** Calls at the same time. */
  readonly concurrency: number | undefined
}

/**
 * Requests and tokens in any minute, and calls at the same time, of one key in this process. Tokens are taken as expected and
 * corrected when known, so that they may pass the limit for a while; the next request then waits. A request that alone is larger than
 * the limit of tokens is admitted when nothing else counts, instead of never.
 */
export class RateLimit implements KeyLimiter {
  readonly #requests = new SlidingWindow()
  readonly #tokens = new SlidingWindow()
  readonly #now: () => number
  limits: RateLimits
  #running = 0

  /** `now` gives monotonic milliseconds. */
  constructor(limits: RateLimits, now: () => number) {
    this.limits = limits
    this.#now = now
  }

  /** Other limits from now on; what was used still counts. */
  change(limits: RateLimits): void {
    this.limits = limits
  }

  admit(tokens: number): void {
    const now = this.#now()
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity, concurrency = Infinity } = this.limits
    const requestWait = this.#requests.waitMs(requestsPerMinute - 1, now)
    const tokenWait = this.#tokens.waitMs(Math.max(0, tokensPerMinute - Math.max(1, tokens)), now)
    if (requestWait > 0 || tokenWait > 0) {
      const what = requestWait >= tokenWait ? 'requests' : 'tokens'
      throw keyRefusal(what, this.limits, Math.max(requestWait, tokenWait))
    }
    if (this.#running >= concurrency) throw keyRefusal('calls', this.limits, 0)
    this.#running += 1
    this.#requests.add(1, now)
    this.#tokens.add(tokens, now)
  }

  settle(expected: number, used: number, startedMs: number): void {
    const now = this.#now()
    this.#running -= 1
    if (used >= expected) this.#tokens.add(used - expected, now)
    else this.#tokens.giveBack(expected - used, startedMs, now)
  }

  headers(): Readonly<Record<string, string>> {
    const now = this.#now()
    const headers: Record<string, string> = {}
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = this.limits
    if (requests !== undefined) {
      headers['x-ratelimit-limit-requests'] = String(requests)
      headers['x-ratelimit-remaining-requests'] = String(Math.max(0, requests - this.#requests.total(now)))
      headers['x-ratelimit-reset-requests'] = duration(Math.ceil(this.#requests.emptyMs(now)))
    }
    if (tokens !== undefined) {
      headers['x-ratelimit-limit-tokens'] = String(tokens)
      headers['x-ratelimit-remaining-tokens'] = String(Math.max(0, tokens - this.#tokens.total(now)))
      headers['x-ratelimit-reset-tokens'] = duration(Math.ceil(this.#tokens.emptyMs(now)))
    }
    return headers
  }
}

/** What a key is told that has reached one of its limits; `waitMs` = until there is room in the minute. */
export function keyRefusal(what: 'requests' | 'tokens' | 'calls', limits: RateLimits, waitMs: number): SwitchyardError {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits
  if (what === 'calls')
    return refusal(`${concurrency} calls at the same time, and they are running.`, CONCURRENCY_RETRY_MS)
  const limit = what === 'requests' ? requestsPerMinute : tokensPerMinute
  return refusal(`${limit} ${what} per minute, and they are used up.`, waitMs)
}

function refusal(may: string, retryAfterMs: number): SwitchyardError {
  return new SwitchyardError('rate_limit_exceeded', `This key may use ${may}`, { retryAfterMs })
}

/** OpenAI's form of a duration: `120ms`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  if (ms < WINDOW_MS) return `${Math.ceil(ms / 100) / 10}s`
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
