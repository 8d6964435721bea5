import { RedisDown, type RedisLink, type RedisScript } from '../../store/redis-link.ts'
import { CallsUnderWay } from './calls-under-way.ts'
import { LEASE_MS } from './heart.ts'
import { keyRefusal, type RateLimits } from '../keys/rate-limit.ts'
import { LEDGER_SCRIPTS } from './redis-scripts.ts'

/** Whose call it is, and what it is expected to use. */
export interface LimitedCall {
  readonly tenant: string
  readonly key: string
  readonly limits: RateLimits
  readonly tokens: number
}

export interface SharedKeyLimitsOptions {
  readonly link: RedisLink
  /** The gateway's name in the books: its calls count while it gives signs of life. */
  readonly owner: string
  /** Root of a tenant whose books are there. Throws RedisDown. */
  readonly rootOf: (tenant: string) => string | Promise<string>
}

/**
 * Requests and tokens per minute and calls at the same time of a key, over all gateways. Each call of a key that has such limits takes
 * one script more before it and one after it; calls of other keys take none.
 */
export class SharedKeyLimits {
  readonly #options: SharedKeyLimitsOptions
  readonly #calls = new CallsUnderWay()

  constructor(options: SharedKeyLimitsOptions) {
    this.#options = options
  }

  /** Throws `rate_limit_exceeded` and RedisDown, and takes nothing then. */
  async admit({ tenant, key, limits, tokens }: LimitedCall): Promise<void> {
    const name = nameOf(tenant, key)
    const running = this.#calls.change(name, 1)
    const number = this.#calls.nextNumber()
    const { requestsPerMinute, tokensPerMinute, concurrency } = limits
    const text = (limit: number | undefined): string => (limit === undefined ? '' : String(limit))
    const most = [text(requestsPerMinute), text(tokensPerMinute), text(concurrency)]
    try {
      const args = [String(LEASE_MS), ...most, String(tokens), String(running), number]
      const [kind, what, waitMs] = await this.#run(LEDGER_SCRIPTS.admit, tenant, key, args)
      if (kind === 'refused') throw keyRefusal(what as 'requests' | 'tokens' | 'calls', limits, Number(waitMs))
    } catch (error) {
      this.#calls.change(name, -1)
      // It may have been taken.
      if (error instanceof RedisDown && error.mayHaveRun) void this.#tell(tenant, key, tokens, 0, 0)
      throw error
    }
  }

  /** The call is over, `ms` after it began. Exactly once per `admit`. */
  release({ tenant, key, tokens }: LimitedCall, used: number, ms: number): void {
    this.#calls.change(nameOf(tenant, key), -1)
    void this.#tell(tenant, key, tokens, used, ms)
  }

  /** Never rejects: what cannot be told is told later, the tokens of the minute left as they were expected. */
  async #tell(tenant: string, key: string, expected: number, used: number, ms: number): Promise<void> {
    const name = nameOf(tenant, key)
    const figures = [expected, used, Math.ceil(ms)].map(String)
    try {
      const args = [this.#calls.of(name), ...figures, this.#calls.nextNumber()]
      await this.#run(LEDGER_SCRIPTS.release, tenant, key, args)
    } catch {
      this.#calls.again(name, () => void this.#tell(tenant, key, 0, 0, 0))
    }
  }

  async #run(script: RedisScript, tenant: string, key: string, args: readonly string[]): Promise<readonly unknown[]> {
    const { link, owner, rootOf } = this.#options
    const answer = await link.run(script, await rootOf(tenant), [link.epoch, key, owner, ...args])
    if (answer[0] === 'lost') throw link.suspect()
    return answer
  }
}

function nameOf(tenant: string, key: string): string {
  return `${tenant}\n${key}`
}
