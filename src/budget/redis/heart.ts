import { RedisDown, type RedisLink } from '../../store/redis-link.ts'
import { LEDGER_SCRIPTS, rootOf } from './redis-scripts.ts'
import { REMEMBERED_MS } from './redis-steps.ts'
import type { RedisTenants } from './redis-tenants.ts'

/** How long the holds of a gateway without a sign of life stay its own, ms. */
export const LEASE_MS = 10_000
/** Attempts of a dead gateway that one step moves, so that no step keeps Redis busy for more than a few milliseconds. */
const SWEEP_MOST = 200
const TENANTS_AT_ONCE = 50

export interface HeartOptions {
  /** Unique for this process. */
  readonly owner: string
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly leaseMs?: number
  /** Hears of dead gateways: what they had reserved was given back, what they had sent counts as spent. */
  readonly onRecovered: (tenant: string, voided: number, unresolved: number) => void
}

/** Signs of life of this gateway in the books of every tenant, and the looks at the others that go with them. */
export class Heart {
  readonly #link: RedisLink
  readonly #tenants: RedisTenants
  readonly #options: HeartOptions
  readonly #leaseMs: number
  readonly #unresolved = new Map<string, number>()
  #clock: { readonly serverMs: number; readonly atMs: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined

  constructor(link: RedisLink, tenants: RedisTenants, options: HeartOptions) {
    this.#link = link
    this.#tenants = tenants
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
  }

  /** `before` runs before each beat. */
  async start(before: () => Promise<void>): Promise<void> {
    await this.beat()
    this.#timer = setInterval(() => void before().then(() => this.beat()), this.#leaseMs / 3)
    this.#timer.unref()
  }

  /** The last sign: whoever looks next takes over what is left. Never rejects. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const root of this.#tenants.roots())
      await this.#link.command('HSET', [`${root}:owners`, this.#options.owner, '1']).catch(() => {})
  }

  /** Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined))
    return this.#beating
  }

  /** Unix milliseconds by the clock of Redis, which is the same for all gateways; undefined before the first beat. */
  serverNow(): number | undefined {
    if (this.#clock === undefined) return undefined
    return Math.floor(this.#clock.serverMs + this.#options.now() - this.#clock.atMs)
  }

  /** Nano-dollars that are unresolved in all books, as of the last beat. */
  unresolved(): number {
    let sum = 0
    for (const amount of this.#unresolved.values()) sum += amount
    return sum
  }

  async #beat(): Promise<void> {
    try {
      const tenants = await this.#tenants.all()
      for (let at = 0; at < tenants.length; at += TENANTS_AT_ONCE)
        await Promise.all(tenants.slice(at, at + TENANTS_AT_ONCE).map((tenant) => this.#beatIn(tenant)))
      if (tenants.length > 0) return
      const [seconds, micros] = (await this.#link.command('TIME', [])) as readonly string[]
      this.#saw(Number(seconds) * 1000 + Number(micros) / 1000)
    } catch (error) {
      // The link knows, and looks when it is back.
      if (!(error instanceof RedisDown)) throw error
    }
  }

  async #beatIn(tenant: string): Promise<void> {
    const { epoch } = this.#link
    const args = [epoch, this.#options.owner, String(this.#leaseMs), String(SWEEP_MOST), REMEMBERED_MS]
    for (;;) {
      const answer = await this.#link.run(LEDGER_SCRIPTS.beat, rootOf(tenant), args)
      if (answer[0] === 'lost') throw this.#link.suspect()
      const [now = 0, voided = 0, unresolved = 0, money = 0, hasMore] = answer.slice(1).map(Number)
      this.#saw(now)
      this.#unresolved.set(tenant, money)
      if (voided + unresolved > 0) this.#options.onRecovered(tenant, voided, unresolved)
      if (hasMore !== 1) return
    }
  }

  #saw(serverMs: number): void {
    this.#clock = { serverMs, atMs: this.#options.now() }
  }
}
