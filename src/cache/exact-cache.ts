import type { AnswerCache, CacheLookup, Call, Caller, GuardReport, SentAnswer } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { ZERO_USD, type NanoUsd } from '../shared/money.ts'
import { condensed } from './condense.ts'
import { BYPASS_REASONS, whyBypassed, whyNotKept, type BypassReason, type UnkeptReason } from './eligibility.ts'
import { Entries, type Entry, type EntryFilter } from './entries.ts'
import { Flight } from './flight.ts'
import { lastUserText, requestKey } from './request-key.ts'
import { volatility } from './volatile-text.ts'

/** What the cache does for a model name that callers write. */
export interface CachePolicy {
  readonly isOn: boolean
  readonly sampled: boolean
  /** What stands behind the name; another one is another answer. */
  readonly revision: string
  readonly route: string | undefined
}
/** What a reload replaces. */
export interface CacheSettings {
  policyOf(model: string): CachePolicy
  readonly scope: 'tenant' | 'user'
  readonly ttlMs: number
}

/** What outlives a reload: the answers, and the calls that are on their way. */
export class CacheState {
  readonly entries: Entries
  readonly flights: Map<string, Flight> = new Map()

  constructor(maxBytes: number) {
    this.entries = new Entries(maxBytes)
  }

  /** Of a tenant, all that is kept. */
  forget(tenant: string): number {
    return this.invalidate({ tenant })
  }

  /** How many entries are meant; they are removed unless it is a trial. */
  invalidate(filter: EntryFilter, isTrial = false, isForGood = false): number {
    const found = this.entries.matching(filter)
    if (!isTrial) for (const entry of found) this.entries.remove(entry, isForGood)
    return found.length
  }
}

export interface ExactCacheOptions {
  readonly state: CacheState
  readonly settings: CacheSettings
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly random: () => number
  readonly onUnkept: (why: UnkeptReason) => void
}

/** Tools that were offered may be there to look something up, even where none was called. */
const TOOLS_TTL_MS = 60_000
/** Entries of one moment do not end in one moment. */
const JITTER = 0.1

/** Answers of equal requests within a scope: out of memory, or by joining the call that is on its way. */
export class ExactCache implements AnswerCache {
  readonly #options: ExactCacheOptions
  readonly #scopes = new WeakMap<Caller, string>()

  constructor(options: ExactCacheOptions) {
    this.#options = options
  }

  lookup(call: Call, seen: GuardReport | undefined, mayJoin: boolean): CacheLookup {
    const { request, cacheWish: wish } = call
    const { state, settings, now } = this.#options
    const policy = settings.policyOf(request.model)
    const why = this.#whyBypassed(call, policy, seen)
    if (why !== undefined) return this.#pastIt(call, why)
    const key = requestKey(this.scopeOf(call), policy.revision, request)
    const nowMs = now()
    const entry = wish?.noCache === true ? undefined : state.entries.get(key, nowMs)
    if (entry !== undefined && nowMs - entry.storedMs <= (wish?.maxAgeMs ?? Infinity)) {
      const { chunks, usage, cost, id } = entry
      const ageMs = nowMs - entry.storedMs
      return { result: 'hit-exact', chunks, usage, savedUsd: cost, entry: { id, ageMs, savedUsd: cost } }
    }
    if (state.entries.isBanned(key)) return this.#pastIt(call, 'never-again')
    // Of what is asked here and now no answer is kept, so that only now its words matter.
    const asked = lastUserText(request)
    const volatile = asked === undefined ? undefined : volatility(asked)
    if (volatile !== undefined) return this.#pastIt(call, volatile)
    if (wish?.onlyIfCached === true) throw notCached()
    const twin = state.flights.get(key)
    if (twin !== undefined) {
      return mayJoin && wish?.noCache !== true && wish?.maxAgeMs === undefined
        ? { result: 'join', twin }
        : { result: 'miss' }
    }
    return { result: 'miss', flight: this.#begin(key, call, policy) }
  }

  /** Who may share an answer. From the API key alone: a name in a body or header is anybody's. */
  scopeOf({ caller, limits }: Call): string {
    const scope = this.#callersScope(caller)
    return limits === undefined ? scope : `${scope}${JSON.stringify([limits.localBy ?? null, limits.isSteady])}`
  }

  #callersScope(caller: Caller): string {
    let scope = this.#scopes.get(caller)
    if (scope === undefined) {
      const models = caller.models === undefined ? undefined : [...caller.models].sort()
      const user = this.#options.settings.scope === 'user' ? (caller.user ?? `key ${caller.key}`) : undefined
      // A key that may not use a model must not hear it by way of another one's question.
      scope = JSON.stringify([caller.tenant, user ?? null, models ?? null])
      this.#scopes.set(caller, scope)
    }
    return scope
  }

  removeOwn(caller: Caller, id: string, isForGood: boolean): boolean {
    const { entries } = this.#options.state
    const entry = entries.byId(id)
    // What the guard limited a request to stands behind who asked.
    if (entry === undefined || !entry.scope.startsWith(this.#callersScope(caller))) return false
    entries.remove(entry, isForGood)
    return true
  }

  #whyBypassed(call: Call, policy: CachePolicy, seen: GuardReport | undefined): BypassReason | undefined {
    if (!policy.isOn) return 'off'
    if (call.cacheWish?.noStore === true) return 'no-store'
    return whyBypassed(call.request, seen, policy)
  }

  #pastIt(call: Call, why: BypassReason): CacheLookup {
    if (call.cacheWish?.onlyIfCached === true) throw notCached(why)
    return PAST[why]
  }

  #begin(key: string, call: Call, policy: CachePolicy): Flight {
    const { flights } = this.#options.state
    const over = (flight: Flight): void => {
      if (flights.get(key) === flight) flights.delete(key)
    }
    const flight = new Flight(
      {
        landed: (landed, answer, cost, isDoubtful) => {
          over(landed)
          this.#keep(key, call, policy, landed, answer, cost ?? ZERO_USD, isDoubtful)
        },
        ended: over,
      },
      call.departure,
    )
    flights.set(key, flight)
    return flight
  }

  #keep(
    key: string,
    call: Call,
    policy: CachePolicy,
    { chunks }: Flight,
    { target, usage }: SentAnswer,
    cost: NanoUsd,
    isDoubtful: boolean,
  ): void {
    const { state, settings, now, random, onUnkept } = this.#options
    const why = isDoubtful ? 'stand-in' : whyNotKept(chunks)
    if (why !== undefined) {
      onUnkept(why)
      return
    }
    const { tenant } = call.caller
    const ttlMs = call.request.tools.length > 0 ? Math.min(TOOLS_TTL_MS, settings.ttlMs) : settings.ttlMs
    const storedMs = now()
    const entry: Omit<Entry, 'id'> = {
      key,
      tenant,
      scope: this.scopeOf(call),
      asked: call.request.model,
      route: policy.route,
      model: target.name,
      tags: call.cacheWish?.tags ?? [],
      chunks: condensed(chunks),
      usage,
      cost,
      storedMs,
      endsMs: storedMs + ttlMs * (1 - JITTER + 2 * JITTER * random()),
    }
    state.entries.add(entry)
  }
}

const PAST = Object.fromEntries(BYPASS_REASONS.map((why) => [why, { result: 'bypass', why }])) as unknown as Readonly<
  Record<BypassReason, CacheLookup>
>

function notCached(why?: BypassReason): SwitchyardError {
  const because = why === undefined ? 'Nothing is kept for this request' : `This request is never kept (${why})`
  return new SwitchyardError('not_cached', `${because}, and "Cache-Control: only-if-cached" asks for nothing else.`, {
    param: 'cache-control',
  })
}
