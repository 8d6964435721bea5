import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { redisAddress } from '../shared/redis-url.ts'
import { within } from '../shared/within.ts'
import { redisClient, REDIS_KEYS } from './redis-client.ts'
import { parseInfo, promotedAs, unusableNow, wrongSettings } from './redis-health.ts'
import { StoreProblem } from './store-problem.ts'
import { StoreUnreachable } from './store-unreachable.ts'

/** How long a command may take before its caller is told that the store does not answer, ms. A script takes some 20 microseconds. */
const COMMAND_TIMEOUT_MS = 250
/** The same for a look at the whole server, and for the first one, when this process is busy with its own start. */
const LOOK_TIMEOUT_MS = 1000
const OPEN_TIMEOUT_MS = 5000
/** Commands in a row without an answer after which no more are tried. */
const MOST_TIMEOUTS = 3
/** How often a store that is down is looked at, ms. */
const PROBE_MS = 200
const SUSPECT_EVERY_MS = 1000
/** Answers that say "not now", without anything having been written (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). */
const NOT_NOW = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOAUTH|NOPERM|WRONGPASS|UNKILLABLE|BUSY)\b/
const NOT_WRITTEN = /^(?:OOM|MISCONF|NOREPLICAS|NOSCRIPT)\b|enableOfflineQueue/

/** A Lua script, sent once and then called by its digest. */
export class RedisScript {
  readonly text: string
  readonly sha: string

  constructor(text: string) {
    this.text = text
    this.sha = createHash('sha1').update(text).digest('hex')
  }
}

/** The store did not do what it was asked, or nobody knows whether it did. */
export class RedisDown extends Error {
  /** True where the command may have run although its answer is missing. */
  readonly mayHaveRun: boolean

  constructor(reason: string, mayHaveRun: boolean, options?: ErrorOptions) {
    super(reason, options)
    this.mayHaveRun = mayHaveRun
  }
}

export interface RedisLinkOptions {
  /** Default 250. */
  readonly commandTimeoutMs?: number
  readonly scripts: readonly RedisScript[]
  /** Hears why the store cannot be used, and undefined when it can be again. */
  readonly onChange?: (reason: string | undefined) => void
  /** Runs before a store that was away is used again; what it rejects with keeps it down. */
  readonly onReturn?: (hasRestarted: boolean) => Promise<void>
}

type Verdict =
  | { readonly kind: 'usable'; readonly epoch: string; readonly runId: string }
  | { readonly kind: 'wrong'; readonly sentences: readonly string[] }
  | { readonly kind: 'away'; readonly reason: string }

/**
 * One connection to the Redis that keeps the books. It is `up` only while the server's settings are right and it holds the books that
 * this process began with; everything else is answered with RedisDown at once, until a look at it finds it well again.
 */
export class RedisLink {
  /** Epoch of the books, fixed for the life of the process. */
  readonly epoch: string
  readonly address: string
  readonly #client: Redis
  readonly #options: RedisLinkOptions
  #runId: string
  #down: string | undefined
  #timeouts = 0
  #suspectedMs = -Infinity
  #probe: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(
    client: Redis,
    url: string,
    first: Extract<Verdict, { kind: 'usable' }>,
    options: RedisLinkOptions,
  ) {
    this.#client = client
    this.address = redisAddress(url)
    this.epoch = first.epoch
    this.#runId = first.runId
    this.#options = options
    client.on('close', () => this.#goDown('the connection to it is lost'))
    client.on('ready', () => this.#probeIn(0))
  }

  /** Throws StoreUnreachable where nothing usable answers, StoreProblem where its settings or its data are wrong. */
  static async open(url: string, options: RedisLinkOptions): Promise<RedisLink> {
    const client = redisClient(url)
    const address = redisAddress(url)
    try {
      try {
        await within(client.connect(), OPEN_TIMEOUT_MS, silent)
      } catch (error) {
        throw new StoreUnreachable(
          `store.url: Redis at ${address} cannot be reached (${messageOf(error)}). Start it, or correct the address.`,
          { cause: error },
        )
      }
      const looking = within(examine(client, options.scripts, undefined), OPEN_TIMEOUT_MS, silent)
      const verdict = await looking.catch((error: unknown): Verdict => {
        return { kind: 'away', reason: messageOf(error) }
      })
      if (verdict.kind === 'away')
        throw new StoreUnreachable(`store.url: Redis at ${address} cannot be used now: ${verdict.reason}.`)
      if (verdict.kind === 'wrong')
        throw new StoreProblem(verdict.sentences.map((each) => `store.url: Redis at ${address}: ${each}`).join('\n'))
      return new RedisLink(client, url, verdict, options)
    } catch (error) {
      client.disconnect()
      throw error
    }
  }

  /** Why it cannot be used; undefined = it can. */
  get down(): string | undefined {
    return this.#down
  }

  /** Calls a script. Throws RedisDown. `evenIfDown` is for `onReturn`. */
  async run(
    script: RedisScript,
    root: string,
    args: readonly string[],
    evenIfDown = false,
  ): Promise<readonly unknown[]> {
    if (this.#down !== undefined && !evenIfDown) throw new RedisDown(this.#down, false)
    try {
      const answer = await this.#inTime(this.#client.evalsha(script.sha, 1, root, ...args))
      this.#timeouts = 0
      return answer as readonly unknown[]
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw this.#failed(error)
    }
    try {
      return (await this.#inTime(this.#client.eval(script.text, 1, root, ...args))) as readonly unknown[]
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Any other command. Throws RedisDown. */
  async command(name: string, args: readonly string[], evenIfDown = false): Promise<unknown> {
    if (this.#down !== undefined && !evenIfDown) throw new RedisDown(this.#down, false)
    try {
      return await this.#inTime(this.#client.call(name, ...args))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Books were not found where they must be: looks at the whole server, at most once a second. Returns what to throw. */
  suspect(): RedisDown {
    const reason =
      'its books are gone, or are others than this process began with. Restore its append-only file; or, knowing that budgets begin anew, run "switchyard store begin" and restart the gateways'
    const now = performance.now()
    if (now - this.#suspectedMs > SUSPECT_EVERY_MS) {
      this.#suspectedMs = now
      this.#goDown(reason)
      this.#probeIn(0)
    }
    return new RedisDown(reason, false)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#probe)
    this.#client.disconnect()
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return within(work, this.#options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS, silent)
  }

  #failed(error: unknown): RedisDown {
    const message = messageOf(error)
    if (NOT_NOW.test(message)) this.#goDown(message)
    if (error instanceof Silent) {
      this.#timeouts += 1
      if (this.#timeouts >= MOST_TIMEOUTS) this.#goDown(message)
    }
    const mayHaveRun = !NOT_NOW.test(message) && !NOT_WRITTEN.test(message)
    return new RedisDown(message, mayHaveRun, { cause: error })
  }

  #goDown(reason: string): void {
    if (this.#isClosed) return
    const isNew = this.#down === undefined
    this.#down = reason
    if (isNew) this.#options.onChange?.(reason)
    this.#probeIn(PROBE_MS)
  }

  #probeIn(ms: number): void {
    if (this.#isClosed || this.#down === undefined) return
    if (ms > 0 && this.#probe !== undefined) return
    clearTimeout(this.#probe)
    this.#probe = setTimeout(() => void this.#look(), ms)
  }

  async #look(): Promise<void> {
    const timer = this.#probe
    try {
      if (this.#client.status !== 'ready') return
      const looking = examine(this.#client, this.#options.scripts, this.epoch)
      const verdict = await within(looking, LOOK_TIMEOUT_MS, silent)
      if (verdict.kind !== 'usable') {
        this.#down = verdict.kind === 'wrong' ? verdict.sentences.join(' ') : verdict.reason
        return
      }
      await this.#options.onReturn?.(verdict.runId !== this.#runId)
      this.#runId = verdict.runId
      this.#timeouts = 0
      this.#down = undefined
      this.#options.onChange?.(undefined)
    } catch {
      // Still away: the next look comes.
    } finally {
      if (this.#probe === timer) this.#probe = undefined
      this.#probeIn(PROBE_MS)
    }
  }
}

class Silent extends Error {}

function silent(): Silent {
  return new Silent('it does not answer in time')
}

/** Whether the server behind a connection can keep the books of `epoch` (undefined = whatever books it has). Rejects where it does not answer. */
async function examine(client: Redis, scripts: readonly RedisScript[], epoch: string | undefined): Promise<Verdict> {
  const info = parseInfo(await client.info())
  const unusable = unusableNow(info)
  if (unusable !== undefined) return { kind: 'away', reason: unusable }
  const sentences = wrongSettings(info, await appendfsync(client))
  if (sentences.length > 0) return { kind: 'wrong', sentences }
  const [found, accepted] = await client.mget(REDIS_KEYS.epoch, REDIS_KEYS.accepted)
  if (found === null || found === undefined) {
    return {
      kind: 'wrong',
      sentences: [
        'it holds no books. If this deployment is new, run "switchyard store begin" once. If it had books, they are lost: restore its append-only file, as beginning anew forgets what was spent.',
      ],
    }
  }
  if (epoch !== undefined && found !== epoch)
    return { kind: 'wrong', sentences: ['it holds other books than before. Restart this gateway if that is right.'] }
  const promoted = promotedAs(info)
  if (promoted !== undefined && accepted !== promoted) {
    return {
      kind: 'wrong',
      sentences: [
        'it was promoted from a replica, which may lack the last reservations. Compare with the former primary, then run "switchyard store accept".',
      ],
    }
  }
  for (const { text } of scripts) await client.script('LOAD', text)
  return { kind: 'usable', epoch: found, runId: info['run_id'] ?? '' }
}

async function appendfsync(client: Redis): Promise<string | undefined> {
  try {
    const found = await client.config('GET', 'appendfsync')
    return Array.isArray(found) ? String(found[1]) : undefined
  } catch {
    // Hosted servers refuse CONFIG.
    return undefined
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
