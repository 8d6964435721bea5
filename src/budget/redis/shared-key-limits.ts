import { RedisDown } from '../../store/redis-link.ts'
import { CallsUnderWay } from './calls-under-way.ts'
import { LEASE_MS } from './heart.ts'
import { keyRefusal, type RateLimits } from '../keys/rate-limit.ts'
import type { LimitScripts } from './limit-scripts.ts'
import { LEDGER_SCRIPTS } from './redis-scripts.ts'

/** Whose call it is, and what it is expected to use. */
export interface LimitedCall {
  readonly tenant: string
  readonly key: string
  readonly limits: RateLimits
  readonly tokens: number
}

/**
 * Requests and tokens per minute and calls at the same time of a key, over all gateways. Each call of a key that has such limits takes
 * one script more before it and one after it; calls of other keys take none.
 */
export class SharedKeyLimits {
  readonly #scripts: LimitScripts
  readonly #calls = new CallsUnderWay()

  constructor(scripts: LimitScripts) {
    this.#scripts = scripts
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
      const [kind, what, waitMs] = await this.#scripts.ask(LEDGER_SCRIPTS.admit, tenant, key, args)
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
      await this.#scripts.tell(LEDGER_SCRIPTS.release, tenant, key, args)
    } catch {
      this.#calls.again(name, () => void this.#tell(tenant, key, 0, 0, 0))
    }
  }
}

function nameOf(tenant: string, key: string): string {
  return `${tenant}\n${key}`
}
