/** Part of the composition root: what an operator does with books that several gateways share. */
import { amountsOf, shownAttempt, type Evidence, type Settled, type Settlement } from './budget/upkeep/reconcile.ts'
import { EVIDENCE } from './budget/upkeep/fold.ts'
import { FORGOTTEN, type Subject } from './budget/upkeep/forget.ts'
import { forgetInRedis, type RedisForgotten } from './budget/redis/redis-forget.ts'
import { LeaseTaken, UPKEEP_LEASE_MS, UpkeepLease } from './budget/redis/redis-lease.ts'
import { retainInRedis } from './budget/redis/redis-retention.ts'
import { keptFrom } from './budget/upkeep/retention.ts'
import type { BookkeepingOptions } from './bookkeeping.ts'
import type { RedisLedger } from './budget/redis/redis-ledger.ts'
import type { OpenAttempt, RedisPast } from './budget/redis/redis-past.ts'
import type { ForgetResult, LedgerService } from './control/ledger-operations.ts'
import { SwitchyardError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import { RedisDown, type RedisLink } from './store/redis-link.ts'
import { setTimeout as delay } from 'node:timers/promises'

/** Pieces of evidence that are looked at, the number kept for each tenant. */
const MOST_EVIDENCE = 1000

/** Between steps of some 0.15 ms: about a thirtieth of Redis' time. */
const REST_MS = 5
/** How often is looked whether a new day has begun, ms. */
const LOOK_MS = 3_600_000
/** After the start, when the first requests have been answered, ms. */
const FIRST_MS = 2000
/** How long a forgetting waits for retention elsewhere, ms. */
const WAIT_MS = 30_000
const DAY_MS = 86_400_000
const NOTHING: RedisForgotten = { attempts: 0, tasks: 0, totals: 0, requests: new Set() }

export interface SharedUpkeepOptions extends Pick<
  BookkeepingOptions,
  'subjectKeys' | 'forgetEvents' | 'forgetResponses' | 'expireEvents' | 'retention' | 'idleMs' | 'onEvent'
> {
  readonly link: RedisLink
  readonly ledger: RedisLedger
  readonly past: RedisPast
  /** Unix milliseconds. */
  readonly wallNow: () => number
}

/** Reconciling, retention and forgetting over Redis: any gateway settles what any of them left unresolved. */
export class SharedUpkeep implements LedgerService {
  readonly reconciler: LedgerService['reconciler']

  readonly #options: SharedUpkeepOptions
  readonly #token = newId('upkeep_')
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #keptFrom = ''
  /** What runs; one thing at a time. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: SharedUpkeepOptions) {
    this.#options = options
    const { ledger, past, wallNow } = options
    const unresolved = async (): Promise<readonly OpenAttempt[]> =>
      (await past.open()).filter(({ state }) => state === 'unresolved')
    const evidence = async (): Promise<readonly Evidence[]> =>
      (await past.documentsOfAll(EVIDENCE, MOST_EVIDENCE))
        .map((text) => JSON.parse(text) as Evidence)
        .sort((a, b) => b.settledMs - a.settledMs)
    this.reconciler = {
      unresolved: async () => (await unresolved()).map((attempt) => shownAttempt(attempt)),
      evidence,
      async settle(settlements, by, isTrial) {
        const open = new Map((await unresolved()).map((attempt) => [attempt.id, attempt]))
        const kept = new Map((await evidence()).map((each) => [each.id, each]))
        const results: Settled[] = []
        for (const each of settlements) {
          const judged = judge(each, open.get(each.id), kept.get(each.id))
          if (isTrial || !('attempt' in judged)) {
            results.push('attempt' in judged ? settledAs(each, judged.attempt) : judged)
            continue
          }
          const { attempt } = judged
          const { kind } = await ledger.settle(each.id, amountsOf(attempt.lines, each), each.tokens)
          if (kind !== 'done') {
            results.push({ id: each.id, outcome: 'refused', reason: `it has been settled meanwhile (${kind})` })
            continue
          }
          const { cost, evidence: why } = each
          const text: Evidence = { ...shownAttempt(attempt), cost, evidence: why, by, settledMs: wallNow() }
          const document = { kind: EVIDENCE, id: each.id, version: 0, text: JSON.stringify(text) }
          await ledger.write(attempt.note.tenant, document)
          open.delete(each.id)
          results.push(settledAs(each, attempt))
        }
        return results
      },
    }
  }

  /** Retention now and whenever a day begins. */
  start(): void {
    this.#lookIn(FIRST_MS)
  }

  /**
   * Deletes what is older than is to be kept. Of each tenant one gateway does it; the others find it done. Resolves with the number of
   * tenants of which another is at it. Throws RedisDown.
   */
  retain(): Promise<number> {
    return this.#alone(async () => {
      const { link, past, retention, idleMs, wallNow, expireEvents } = this.#options
      const { attemptsDays, eventsDays } = retention()
      const now = wallNow()
      const before = keptFrom(now, attemptsDays)
      if (before === this.#keptFrom) return 0
      let taken = 0
      for (const tenant of await past.tenants()) {
        if (this.#isClosed) return taken
        const lease = await UpkeepLease.take(link, this.#token, tenant)
        if (lease === undefined) {
          taken += 1
          continue
        }
        let done = ''
        try {
          if (lease.keptFrom < before)
            await retainInRedis(lease, { before, idleBefore: now - idleMs(), rest: () => this.#rest() })
          done = before
        } finally {
          await lease.drop(done).catch(() => {})
        }
      }
      if (taken > 0) return taken
      this.#keptFrom = before
      await expireEvents(now - eventsDays * DAY_MS)
      return 0
    })
  }

  forget(tenant: string, user: string | undefined): Promise<ForgetResult> {
    return this.#alone(() => this.#forget(tenant, user)).catch((error: unknown) => {
      throw asAnswer(error, tenant)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#work.catch(() => {})
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.retain()
        // Whoever is at it may die: its lease says when.
        .then((taken) => (taken > 0 ? UPKEEP_LEASE_MS : LOOK_MS))
        .catch((error: unknown) => {
          if (!this.#isClosed) this.#options.onEvent({ event: 'retention', what: 'failed', detail: String(error) })
          return UPKEEP_LEASE_MS
        })
        .then((next) => {
          if (!this.#isClosed) this.#lookIn(next)
        })
    }, ms)
    this.#timer.unref()
  }

  async #forget(tenant: string, user: string | undefined): Promise<ForgetResult> {
    const { past, subjectKeys, forgetEvents, forgetResponses } = this.#options
    const keysOfAll = subjectKeys()
    const { made, inFile } = keysOfAll.of(tenant, user)
    if (tenant === FORGOTTEN)
      throw new SwitchyardError('invalid_value', 'tenant: it stands for those that are forgotten.', { param: 'tenant' })
    if (user !== undefined && made.length === 0) {
      const sentence = `No made key of tenant "${tenant}" belongs to "${user}". "switchyard keys list" shows whose keys there are.`
      throw new SwitchyardError('key_not_found', sentence, { param: 'user' })
    }
    const keys = user === undefined ? undefined : new Set(made)
    // Before anything else, as an emptied Redis has nothing open either.
    const hasBooks = await past.knows(tenant)
    await this.#refuseOpen(tenant, keys)
    // Before anything goes, so that nothing new comes.
    keysOfAll.revoke(tenant, user)
    await this.#refuseOpen(tenant, keys)
    // Forgotten through another gateway before, it has files here and no books any more.
    const { requests, ...count } = hasBooks ? await this.#forgetBooks({ tenant, keys }) : NOTHING
    const events = await forgetEvents(tenant, user === undefined ? undefined : requests)
    const responses = await forgetResponses(tenant, keys)
    keysOfAll.forget(tenant, user)
    return { ...count, keys: made.length, keysInFile: inFile, events, responses }
  }

  async #forgetBooks(subject: Subject): Promise<RedisForgotten> {
    const { link } = this.#options
    const lease = await UpkeepLease.take(link, this.#token, subject.tenant, WAIT_MS)
    if (lease === undefined) throw new LeaseTaken(subject.tenant)
    try {
      return await forgetInRedis(link, lease, subject, () => this.#rest())
    } finally {
      // Of a tenant that is gone the lease is gone as well, and then this does nothing.
      await lease.drop().catch(() => {})
    }
  }

  /** Throws where money of the subject is still open: its names are needed to book it. */
  async #refuseOpen(tenant: string, keys: ReadonlySet<string> | undefined): Promise<void> {
    const open = (await this.#options.past.openOf(tenant)).filter(
      ({ note }) => keys === undefined || keys.has(note.key),
    )
    const unresolved = open.filter(({ state }) => state === 'unresolved').length
    if (unresolved > 0) {
      const sentence = `${unresolved} of its attempts are unresolved. Settle them first: "switchyard ledger reconcile" shows them.`
      throw new SwitchyardError('task_conflict', sentence, { param: 'tenant' })
    }
    if (open.length === 0) return
    const sentence = 'Requests of it are under way. Revoke its keys, and say it again.'
    throw new SwitchyardError('task_conflict', sentence, { param: 'tenant' })
  }

  async #rest(): Promise<void> {
    if (this.#isClosed) throw new SwitchyardError('draining', 'The service is stopping; say it again when it runs.')
    await delay(REST_MS)
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.catch(() => {}).then(work)
    this.#work = result
    return result
  }
}

/** What an operator is told who wanted a tenant to be forgotten. */
function asAnswer(error: unknown, tenant: string): unknown {
  if (error instanceof LeaseTaken) return new SwitchyardError('task_conflict', error.message, { param: 'tenant' })
  const isDown = error instanceof RedisDown || (error instanceof SwitchyardError && error.code === 'ledger_unavailable')
  if (!isDown) return error
  const reason = (error instanceof SwitchyardError ? error.detail : undefined) ?? error.message
  const sentence = `Redis cannot be used at the moment: ${reason.replace(/\.$/, '')}. Not everything of tenant "${tenant}" is forgotten: say it again when Redis is back.`
  return new SwitchyardError('ledger_unavailable', sentence, { cause: error, detail: reason })
}

function judge(
  { id, cost }: Settlement,
  attempt: OpenAttempt | undefined,
  before: Evidence | undefined,
): Settled | { readonly attempt: OpenAttempt } {
  if (before !== undefined) {
    return before.cost === cost
      ? { id, outcome: 'same', hold: before.hold, cost }
      : { id, outcome: 'refused', reason: 'it was settled with other evidence before, which stays' }
  }
  return attempt === undefined ? { id, outcome: 'refused', reason: 'no unresolved attempt has this id' } : { attempt }
}

function settledAs({ id, cost }: Settlement, attempt: OpenAttempt): Settled {
  return { id, outcome: 'settled', hold: shownAttempt(attempt).hold, cost }
}
