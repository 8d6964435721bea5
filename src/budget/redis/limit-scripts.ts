import type { RedisLink, RedisScript } from '../../store/redis-link.ts'
import { rootOf as rootKeyOf } from './redis-scripts.ts'
import { isForgotten } from './redis-tenants.ts'

/** Where limits over all gateways are asked. */
export interface LimitScriptsOptions {
  readonly link: RedisLink
  /** The gateway's name in the books: its calls count while it gives signs of life. */
  readonly owner: string
  /** Root of a tenant whose books are there. Throws RedisDown. */
  readonly rootOf: (tenant: string) => string | Promise<string>
}

/** Runs the scripts of limits, which all take the epoch, a name within the tenant, and the gateway's own name first. */
export class LimitScripts {
  readonly #options: LimitScriptsOptions

  constructor(options: LimitScriptsOptions) {
    this.#options = options
  }

  /** Asks before a call; a tenant that is new gets its books. Throws RedisDown. */
  async ask(script: RedisScript, tenant: string, name: string, args: readonly string[]): Promise<readonly unknown[]> {
    const { link, owner, rootOf } = this.#options
    const answer = await link.run(script, await rootOf(tenant), [link.epoch, name, owner, ...args])
    if (answer[0] === 'lost') throw link.suspect()
    return answer
  }

  /** Says something after a call. A tenant that was forgotten meanwhile stays forgotten. Throws RedisDown. */
  async tell(script: RedisScript, tenant: string, name: string, args: readonly string[]): Promise<void> {
    const { link, owner } = this.#options
    const answer = await link.run(script, rootKeyOf(tenant), [link.epoch, name, owner, ...args])
    if (answer[0] === 'lost' && !(await isForgotten(link, tenant))) throw link.suspect()
  }
}
