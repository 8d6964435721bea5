import { setTimeout as delay } from 'node:timers/promises'
import type { RedisScript, RedisLink } from '../../store/redis-link.ts'
import { rootOf, UPKEEP_SCRIPTS } from './redis-scripts.ts'

/** How long a process that does upkeep may be silent, ms: then another takes over. */
export const UPKEEP_LEASE_MS = 10_000
const AGAIN_MS = 100

/** Somebody else does the upkeep of these books now. */
export class LeaseTaken extends Error {
  constructor(tenant: string) {
    super(
      `Another process tidies, copies or deletes the books of tenant "${tenant}" at the moment. Say it again when it is done.`,
    )
  }
}

/**
 * The right to tidy up, copy or delete the books of one tenant, for one process at a time. Every step asks for it and prolongs it within
 * its script, so that a process that was stopped for too long changes nothing when it goes on.
 */
export class UpkeepLease {
  readonly tenant: string
  readonly root: string
  /** Day (`YYYY-MM-DD`) up to which retention had been through when the lease was taken; '' = never. */
  readonly keptFrom: string
  readonly #link: RedisLink
  readonly #token: string

  private constructor(link: RedisLink, token: string, tenant: string, keptFrom: string) {
    this.#link = link
    this.#token = token
    this.tenant = tenant
    this.root = rootOf(tenant)
    this.keptFrom = keptFrom
  }

  /** Undefined where another process has it for longer than `waitMs`. Throws RedisDown. */
  static async take(link: RedisLink, token: string, tenant: string, waitMs = 0): Promise<UpkeepLease | undefined> {
    const untilMs = performance.now() + waitMs
    for (;;) {
      const args = [link.epoch, token, String(UPKEEP_LEASE_MS), 'take']
      const [kind, keptFrom] = await link.run(UPKEEP_SCRIPTS.lease, rootOf(tenant), args)
      if (kind === 'lost') throw link.suspect()
      if (kind === 'ok') return new UpkeepLease(link, token, tenant, String(keptFrom))
      if (performance.now() >= untilMs) return undefined
      await delay(AGAIN_MS)
    }
  }

  /** Takes one step. Resolves with its answer after `ok`; throws LeaseTaken and RedisDown. */
  async step(script: RedisScript, args: readonly string[]): Promise<readonly unknown[]> {
    const all = [this.#link.epoch, this.#token, String(UPKEEP_LEASE_MS), ...args]
    const [kind, ...rest] = await this.#link.run(script, this.root, all)
    if (kind === 'lost') throw this.#link.suspect()
    if (kind !== 'ok') throw new LeaseTaken(this.tenant)
    return rest
  }

  /** Reads below the root of the tenant: `name` of the command, end of the key, arguments. Throws RedisDown. */
  read(name: string, key: string, ...args: readonly string[]): Promise<unknown> {
    return this.#link.command(name, [`${this.root}:${key}`, ...args])
  }

  /** Prolongs it; for whoever only reads. Throws LeaseTaken and RedisDown. */
  async renew(): Promise<void> {
    await this.step(UPKEEP_SCRIPTS.fold, [''])
  }

  /** `keptFrom` = up to this day everything has been done. Throws RedisDown. */
  async drop(keptFrom = ''): Promise<void> {
    const args = [this.#link.epoch, this.#token, String(UPKEEP_LEASE_MS), 'drop', keptFrom]
    await this.#link.run(UPKEEP_SCRIPTS.lease, this.root, args)
  }
}
