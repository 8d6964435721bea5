import type { KeyLimiter } from '../../gateway/steps.ts'
import { RateLimit, type RateLimits } from './rate-limit.ts'

/**
 * The limiters of all keys by name. They outlive a reload, a change of limits and a rotation: none of these may hand out a fresh minute
 * or forget running calls.
 */
export class KeyLimiters {
  readonly #now: () => number
  #known = new Map<string, RateLimit>()

  /** `now` gives monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The limiter of a key with these limits from now on; undefined where it has none. */
  of(name: string, limits: RateLimits): KeyLimiter | undefined {
    const { requestsPerMinute, tokensPerMinute, concurrency } = limits
    if (requestsPerMinute === undefined && tokensPerMinute === undefined && concurrency === undefined) return undefined
    const known = this.#known.get(name)
    if (known !== undefined) {
      known.change(limits)
      return known
    }
    const limiter = new RateLimit(limits, this.#now)
    this.#known.set(name, limiter)
    return limiter
  }

  /** Forgets the limiters of keys that are gone. */
  keepOnly(names: ReadonlySet<string>): void {
    this.#known = new Map([...this.#known].filter(([name]) => names.has(name)))
  }
}
