import type { KeyLimiter, LimitStanding } from '../../gateway/steps.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { SlidingWindow } from './sliding-window.ts'

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

  standing(): readonly LimitStanding[] {
    const { requestsPerMinute: requests, tokensPerMinute: tokens } = this.limits
    const all: LimitStanding[] = []
    if (requests !== undefined) all.push(this.#stand('requests', requests, this.#requests))
    if (tokens !== undefined) all.push(this.#stand('tokens', tokens, this.#tokens))
    return all
  }

  #stand(of: LimitStanding['of'], limit: number, window: SlidingWindow): LimitStanding {
    const now = this.#now()
    return { of, limit, remaining: Math.max(0, limit - window.total(now)), resetMs: window.emptyMs(now) }
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
