import { REDIS_KEYS } from '../../store/redis-client.ts'
import type { RedisLink } from '../../store/redis-link.ts'
import { rootOf } from './redis-scripts.ts'

/** Whether the books are there and have no such tenant. Throws RedisDown. */
export async function isForgotten(link: RedisLink, tenant: string): Promise<boolean> {
  const [isKnown, epoch] = await Promise.all([
    link.command('SISMEMBER', [REDIS_KEYS.tenants, tenant]),
    link.command('GET', [REDIS_KEYS.epoch]),
  ])
  return isKnown !== '1' && epoch === link.epoch
}

/** The tenants that this process has met, and the mark that each one's books carry. */
export class RedisTenants {
  readonly #link: RedisLink
  readonly #roots = new Map<string, string>()

  constructor(link: RedisLink) {
    this.#link = link
  }

  /** Root key of a tenant whose books are known to be there; undefined = `enter` it first. */
  known(tenant: string): string | undefined {
    return this.#roots.get(tenant)
  }

  roots(): Iterable<string> {
    return this.#roots.values()
  }

  /** Looks at every tenant anew, after the store was away. */
  forget(): void {
    this.#roots.clear()
  }

  /** All tenants that have books, those of other gateways too. Throws RedisDown. */
  async all(): Promise<readonly string[]> {
    return (await this.#link.command('SMEMBERS', [REDIS_KEYS.tenants])) as readonly string[]
  }

  /** Makes the books of a new tenant, and sees that those of a known one are there. Throws RedisDown. */
  async enter(tenant: string, evenIfDown = false): Promise<string> {
    const root = rootOf(tenant)
    const { epoch } = this.#link
    const command = (name: string, ...args: string[]): Promise<unknown> => this.#link.command(name, args, evenIfDown)
    // In this order: a known tenant has its mark, as the mark is made first.
    const [isKnown, mark, found] = await Promise.all([
      command('SISMEMBER', REDIS_KEYS.tenants, tenant),
      command('GET', root),
      command('GET', REDIS_KEYS.epoch),
    ])
    const isNew = mark === null && isKnown !== '1'
    if (found !== epoch || (mark !== epoch && !isNew)) throw this.#link.suspect()
    if (isNew) await command('SET', root, epoch, 'NX')
    if (isKnown !== '1') await command('SADD', REDIS_KEYS.tenants, tenant)
    this.#roots.set(tenant, root)
    return root
  }
}
