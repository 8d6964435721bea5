import { RedisDown, type RedisLink } from '../store/redis-link.ts'
import { REDIS_KEYS } from '../store/redis-client.ts'
import { invalidLine } from './invalid-line.ts'
import type {
  AttemptLedger,
  AttemptNote,
  AttemptTokens,
  Balance,
  Line,
  Reservation,
  ReserveResult,
  StepResult,
} from './ledger.ts'
import { isAmount } from './ledger.ts'
import { ledgerUnavailable } from './ledger-unavailable.ts'
import { KnownBalances } from './known-balances.ts'
import { LEDGER_SCRIPTS, rootOf } from './redis-scripts.ts'

/** How long the holds of a gateway without a sign of life stay its own, ms. */
const LEASE_MS = 10_000
/** How long an ended attempt is remembered, ms: of a task for its page, else for a repeated step. */
const TASK_ENDED_MS = 86_400_000
const ENDED_MS = 600_000
/** Attempts of a dead gateway that one step moves, so that no step keeps Redis busy for more than a few milliseconds. */
const SWEEP_MOST = 200
const TENANTS_AT_ONCE = 50
/**
 * What a killed Redis may forget with `appendfsync everysec`: it answers while a flush is under way and writes up to two seconds later.
 * Steps of this last time are told again to one that comes back.
 */
const TOLD_AGAIN_MS = 5000
/** How long a Redis that comes back is left alone, so that every gateway can tell it what it may have forgotten, ms. */
const RETURN_MS = 1000
/** Ended attempts whose place is remembered, for a repeated step. */
const MOST_PLACES = 10_000
const LONGEST_CLOSE_MS = 1000

export interface RedisLedgerOptions {
  /** Unique for this process. */
  readonly owner: string
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly leaseMs?: number
  /** Called with the books of an attempt that holds nothing any more. */
  readonly onFreed?: (books: readonly string[]) => void
  /** Hears of steps that could not be told in time and then contradicted what is known, and of dead gateways. */
  readonly onEvent?: (event: LedgerEvent) => void
}

export type LedgerEvent =
  | { readonly what: 'late step refused'; readonly attempt: string; readonly answer: string }
  | { readonly what: 'recovered'; readonly tenant: string; readonly voided: number; readonly unresolved: number }

interface Place {
  readonly tenant: string
  readonly root: string
  readonly books: readonly string[]
  /** With a task it is remembered longer. */
  readonly hasTask: boolean
}

interface OwnAttempt extends Place {
  readonly args: readonly string[]
  /** Nano-dollars held. */
  readonly amount: number
}

type FinalStep =
  | { readonly verb: 'settle'; readonly amounts: readonly number[]; readonly tokens: AttemptTokens | undefined }
  | { readonly verb: 'void' | 'unresolve' | 'abandon' }

interface Told {
  readonly id: string
  readonly attempt: OwnAttempt
  readonly step: FinalStep
  readonly atMs: number
}

const UNKNOWN: StepResult = { kind: 'unknown' }

/**
 * The ledger that several gateways share: every step is one Lua script in one round trip, so that Redis decides and nobody else. It fails
 * closed: what cannot be written down is not reserved. Steps after the reservation are told later where they cannot be told at once.
 */
export class RedisLedger implements AttemptLedger {
  readonly #link: RedisLink
  readonly #options: RedisLedgerOptions
  readonly #leaseMs: number
  readonly #roots = new Map<string, string>()
  readonly #open = new Map<string, OwnAttempt>()
  readonly #places = new Map<string, Place>()
  readonly #later = new Map<string, { readonly place: Place; readonly step: FinalStep }>()
  readonly #known: KnownBalances
  readonly #unresolved = new Map<string, number>()
  #told: Told[] = []
  #clock: { readonly serverMs: number; readonly atMs: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #draining: Promise<void> | undefined

  constructor(link: RedisLink, options: RedisLedgerOptions) {
    this.#link = link
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
    this.#known = new KnownBalances(options.now)
  }

  /** Gives signs of life from now on, and takes care of what dead gateways left. */
  async start(): Promise<void> {
    await this.beat()
    this.#timer = setInterval(() => void this.beat(), this.#leaseMs / 3)
    this.#timer.unref()
  }

  async reserve(reservation: Reservation): Promise<ReserveResult> {
    const { id, lines, note } = reservation
    const reason = invalidLine(lines)
    if (reason !== undefined) return { kind: 'invalid', reason }
    // What is overdue comes first: its money may be what this one needs.
    if (this.#later.size > 0) void this.drain()
    let root: string | undefined
    try {
      root = this.#roots.get(note.tenant) ?? (await this.#enter(note.tenant))
      const args = this.#reserveArgs(reservation)
      const answer = await this.#link.run(LEDGER_SCRIPTS.reserve, root, args)
      return this.#reserved(answer, reservation, root, args)
    } catch (error) {
      if (!(error instanceof RedisDown)) throw error
      // It may be there, and nobody will send it.
      if (error.mayHaveRun && root !== undefined)
        this.#keepForLater(id, placeOf(root, lines, note), { verb: 'abandon' })
      return { kind: 'unavailable', reason: error.message }
    }
  }

  async sent(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    if (place === undefined) return UNKNOWN
    const answer = await this.#link.run(LEDGER_SCRIPTS.move, place.root, this.#moveArgs(id, 'sent', place))
    const own = this.#open.get(id)
    if (own !== undefined && answer[0] === 'done') this.#open.set(id, { ...own, args: withState(own.args, 'sent') })
    return this.#stepResult(answer, place)
  }

  async settle(id: string, amounts: readonly number[], tokens?: AttemptTokens): Promise<StepResult> {
    const place = await this.#placeOf(id)
    if (place === undefined) return UNKNOWN
    if (amounts.length !== place.books.length || !amounts.every(isAmount))
      return { kind: 'invalid', reason: 'one whole number >= 0 is needed for each line' }
    return this.#end(id, place, { verb: 'settle', amounts, tokens })
  }

  async void(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    return place === undefined ? UNKNOWN : this.#end(id, place, { verb: 'void' })
  }

  async unresolve(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    return place === undefined ? UNKNOWN : this.#end(id, place, { verb: 'unresolve' })
  }

  /** At once where it was read a moment ago. The tenant may be left out of books that this process has seen. Throws `ledger_unavailable`. */
  balance(book: string, tenant?: string): Balance | Promise<Balance> {
    return this.#known.fresh(book) ?? this.#readBalance(book, tenant)
  }

  /** What this process saw last in a book, zeros if nothing: for answers, never for decisions. */
  lastSeen(book: string): Balance {
    return this.#known.last(book)
  }

  /** Reads a document and books in one round trip. Throws RedisDown. */
  async look(
    tenant: string,
    document: { readonly kind: string; readonly id: string } | undefined,
    books: readonly string[],
  ): Promise<{ readonly version: number; readonly text: string }> {
    const root = this.#roots.get(tenant) ?? (await this.#enter(tenant))
    const args = [this.#link.epoch, document?.kind ?? '', document?.id ?? '', ...books]
    const [kind, version, text, ...figures] = await this.#link.run(LEDGER_SCRIPTS.look, root, args)
    if (kind === 'lost') throw this.#link.suspect()
    this.#known.learn(books, figures.map(Number), tenant)
    return { version: Number(version), text: String(text) }
  }

  /** Writes a document over the version that was read; answers with what stands there instead where that has changed. Throws RedisDown. */
  async write(
    tenant: string,
    document: { readonly kind: string; readonly id: string; readonly version: number; readonly text: string },
  ): Promise<{ readonly isWritten: boolean; readonly version: number; readonly text: string }> {
    const root = this.#roots.get(tenant) ?? (await this.#enter(tenant))
    const { kind, id, version, text } = document
    const args = [this.#link.epoch, kind, id, String(version), text]
    const [result, now, other] = await this.#link.run(LEDGER_SCRIPTS.write, root, args)
    if (result === 'lost') throw this.#link.suspect()
    return { isWritten: result === 'done', version: Number(now), text: result === 'done' ? text : String(other) }
  }

  /** Unix milliseconds by the clock of Redis, which is the same for all gateways; undefined before the first sign of life. */
  serverNow(): number | undefined {
    if (this.#clock === undefined) return undefined
    return Math.floor(this.#clock.serverMs + this.#options.now() - this.#clock.atMs)
  }

  /** Nano-dollars that this process holds, and that are unresolved in all books (as of the last sign of life). */
  openMoney(): { readonly held: number; readonly unresolved: number } {
    let held = 0
    for (const { amount } of this.#open.values()) held += amount
    let unresolved = 0
    for (const amount of this.#unresolved.values()) unresolved += amount
    return { held, unresolved }
  }

  /** One sign of life in the books of every tenant, and a look at the others. Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined))
    return this.#beating
  }

  /** Before a Redis that was away is used again: tells it what it may have forgotten. Rejects with RedisDown. */
  async returned(hasRestarted: boolean): Promise<void> {
    if (!hasRestarted) return
    this.#roots.clear()
    const since = this.#options.now() - TOLD_AGAIN_MS
    const told = this.#told.filter(({ atMs }) => atMs >= since)
    const waiting: Promise<unknown>[] = []
    const tell = (id: string, own: OwnAttempt, step: FinalStep | undefined): void => {
      // It was admitted before, so that no limit is asked again.
      waiting.push(this.#link.run(LEDGER_SCRIPTS.reserve, own.root, withoutLimits(own.args), true))
      if (step !== undefined) waiting.push(this.#run(id, own, step, true))
    }
    for (const tenant of new Set([
      ...told.map(({ attempt }) => attempt.tenant),
      ...[...this.#open.values()].map((own) => own.tenant),
    ]))
      await this.#enter(tenant, true)
    for (const { id, attempt, step } of told) tell(id, attempt, step)
    for (const [id, own] of this.#open) tell(id, own, undefined)
    await Promise.all(waiting)
    await new Promise((resolve) => setTimeout(resolve, RETURN_MS))
  }

  /** Tells what has not been told yet, and gives the rest of its attempts up to the other gateways. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.race([this.drain(), new Promise((resolve) => setTimeout(resolve, LONGEST_CLOSE_MS).unref())])
    for (const root of this.#roots.values())
      await this.#link.command('HSET', [`${root}:owners`, this.#options.owner, '1']).catch(() => {})
  }

  /** Tells what could not be told before. Never rejects. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined))
    return this.#draining
  }

  /** Prepares the books of a tenant that this process has not met. Throws RedisDown. */
  async #enter(tenant: string, evenIfDown = false): Promise<string> {
    const root = rootOf(tenant)
    const { epoch } = this.#link
    const command = (name: string, ...args: string[]): Promise<unknown> => this.#link.command(name, args, evenIfDown)
    // In this order: a known tenant has its mark, as the mark is made first.
    const [isKnown, mark, found] = await Promise.all([
      command('SISMEMBER', REDIS_KEYS.tenants, tenant),
      command('GET', root),
      command('GET', REDIS_KEYS.epoch),
    ])
    if (found !== epoch || (mark !== null && mark !== epoch) || (mark === null && isKnown === '1'))
      throw this.#link.suspect()
    if (mark === null) await command('SET', root, epoch, 'NX')
    if (isKnown !== '1') await command('SADD', REDIS_KEYS.tenants, tenant)
    this.#roots.set(tenant, root)
    return root
  }

  #reserveArgs({ id, lines, note, sendsAtOnce }: Reservation): readonly string[] {
    let text = ''
    for (const { book, amount } of lines) text += `${amount} ${book}\n`
    const sums = `${note.day}\n${note.key}\n${note.taskType}\n${note.model}\n`
    const state = sendsAtOnce ? 'sent' : 'reserved'
    const args = [this.#link.epoch, this.#options.owner, id, state, text, JSON.stringify(note), sums, note.task ?? '']
    for (const { book, amount, limit } of lines)
      args.push(book, String(amount), limit === undefined ? '' : String(limit))
    return args
  }

  #reserved(
    answer: readonly unknown[],
    reservation: Reservation,
    root: string,
    args: readonly string[],
  ): ReserveResult {
    const { id, lines, note } = reservation
    switch (answer[0]) {
      case 'admitted':
        this.#known.learn(
          lines.map(({ book }) => book),
          answer.slice(1).map(Number),
          note.tenant,
        )
        this.#open.set(id, { ...placeOf(root, lines, note), args, amount: lines[0]?.amount ?? 0 })
        return { kind: 'admitted' }
      case 'replayed':
        if (!this.#open.has(id)) this.#remember(id, placeOf(root, lines, note))
        return { kind: 'replayed' }
      case 'conflict':
        return { kind: 'conflict' }
      case 'refused': {
        const [index, settled, held, unresolved, isHeldOnly] = answer.slice(1).map(Number)
        const { book, amount, limit = Number.MAX_SAFE_INTEGER } = lines[index as number] as Line
        const balance = { settled, held, unresolved } as Balance
        this.#known.learn([book], [balance.settled, balance.held, balance.unresolved], note.tenant)
        return { kind: 'refused', book, limit, amount, balance, isHeldOnly: isHeldOnly === 1 }
      }
      default:
        throw this.#link.suspect()
    }
  }

  #moveArgs(id: string, verb: string, { hasTask }: Place): readonly string[] {
    return [this.#link.epoch, id, verb, String(hasTask ? TASK_ENDED_MS : ENDED_MS)]
  }

  #run(id: string, place: Place, step: FinalStep, evenIfDown = false): Promise<readonly unknown[]> {
    if (step.verb !== 'settle')
      return this.#link.run(LEDGER_SCRIPTS.move, place.root, this.#moveArgs(id, step.verb, place), evenIfDown)
    const { amounts, tokens } = step
    const forMs = String(place.hasTask ? TASK_ENDED_MS : ENDED_MS)
    const count = (tokens: number | undefined): string => (isAmount(tokens) ? String(tokens) : '')
    const args = [this.#link.epoch, id, count(tokens?.input), count(tokens?.output), forMs, ...amounts.map(String)]
    return this.#link.run(LEDGER_SCRIPTS.settle, place.root, args, evenIfDown)
  }

  /** Takes a step now, or keeps it until Redis is back: the money stays held until then. */
  async #end(id: string, place: Place, step: FinalStep): Promise<StepResult> {
    const waiting = this.#later.get(id)
    if (waiting !== undefined) return isSameStep(waiting.step, step) ? { kind: 'same' } : { kind: 'conflict' }
    try {
      const answer = await this.#run(id, place, step)
      if (answer[0] === 'lost') throw this.#link.suspect()
      const result = this.#stepResult(answer, place)
      if (result.kind === 'done') this.#ended(id, place, step, answer.slice(2).map(Number))
      return result
    } catch (error) {
      if (!(error instanceof RedisDown)) throw error
      this.#keepForLater(id, place, step)
      return { kind: 'done', exceeded: this.#exceeded(id, place, step) }
    }
  }

  #stepResult(answer: readonly unknown[], { books }: Place): StepResult {
    const kind = answer[0]
    switch (kind) {
      case 'done':
        return { kind, exceeded: (answer[1] as readonly string[]).map((index) => books[Number(index)] as string) }
      case 'same':
      case 'conflict':
      case 'unknown':
        return { kind }
      case 'invalid':
        return { kind, reason: String(answer[1]) }
      default:
        throw this.#link.suspect()
    }
  }

  /** `figures` = balances of its books after the step; none where the step had been taken before. */
  #ended(id: string, place: Place, step: FinalStep, figures: readonly number[]): void {
    const attempt = this.#open.get(id)
    if (attempt !== undefined) {
      const atMs = this.#options.now()
      this.#open.delete(id)
      this.#told.push({ id, attempt, step, atMs })
      if (this.#told.length > 2000 && (this.#told[0] as Told).atMs < atMs - TOLD_AGAIN_MS)
        this.#told = this.#told.filter((each) => each.atMs >= atMs - TOLD_AGAIN_MS)
    }
    this.#remember(id, place)
    if (figures.length > 0) this.#known.learn(place.books, figures, place.tenant)
    else this.#known.forget(place.books)
    this.#options.onFreed?.(place.books)
  }

  #keepForLater(id: string, place: Place, step: FinalStep): void {
    this.#later.set(id, { place, step })
  }

  /** Books in which a step that could not be told will settle more than is held. */
  #exceeded(id: string, place: Place, step: FinalStep): readonly string[] {
    const own = this.#open.get(id)
    if (step.verb !== 'settle' || own === undefined) return []
    return place.books.filter((_, index) => (step.amounts[index] as number) > Number(own.args[9 + 3 * index]))
  }

  #remember(id: string, { tenant, root, books, hasTask }: Place): void {
    this.#places.set(id, { tenant, root, books, hasTask })
    if (this.#places.size > MOST_PLACES) this.#places.delete(this.#places.keys().next().value as string)
  }

  /** Where an attempt stands; one of another process is looked for in the books of all tenants. */
  async #placeOf(id: string): Promise<Place | undefined> {
    const known = this.#open.get(id) ?? this.#places.get(id) ?? this.#later.get(id)?.place
    if (known !== undefined) return known
    const tenants = (await this.#link.command('SMEMBERS', [REDIS_KEYS.tenants])) as readonly string[]
    for (const tenant of tenants) {
      const root = rootOf(tenant)
      const found = await this.#link.command('HMGET', [`${root}:attempt:${id}`, 'lines', 'note'])
      const [lines, note] = found as readonly (string | null)[]
      if (lines === null || lines === undefined) continue
      const books = [...lines.matchAll(/^\d+ (.+)$/gm)].map((match) => match[1] as string)
      const hasTask = note !== null && note !== undefined && (JSON.parse(note) as AttemptNote).task !== undefined
      const place = { tenant, root, books, hasTask }
      this.#remember(id, place)
      return place
    }
    return undefined
  }

  async #readBalance(book: string, tenant: string | undefined): Promise<Balance> {
    const owner = tenant ?? this.#known.tenantOf(book)
    if (owner === undefined) return { settled: 0, held: 0, unresolved: 0 }
    try {
      await this.look(owner, undefined, [book])
    } catch (error) {
      throw error instanceof RedisDown ? ledgerUnavailable(error.message, error) : error
    }
    return this.#known.last(book)
  }

  async #beat(): Promise<void> {
    try {
      await this.drain()
      const tenants = (await this.#link.command('SMEMBERS', [REDIS_KEYS.tenants])) as readonly string[]
      for (let at = 0; at < tenants.length; at += TENANTS_AT_ONCE)
        await Promise.all(tenants.slice(at, at + TENANTS_AT_ONCE).map((tenant) => this.#beatIn(tenant)))
      if (tenants.length === 0) this.#sawClock(await this.#link.command('TIME', []))
    } catch (error) {
      if (!(error instanceof RedisDown)) throw error
    }
  }

  async #beatIn(tenant: string): Promise<void> {
    const forMs = String(TASK_ENDED_MS)
    const args = [this.#link.epoch, this.#options.owner, String(this.#leaseMs), String(SWEEP_MOST), forMs]
    for (;;) {
      const answer = await this.#link.run(LEDGER_SCRIPTS.beat, rootOf(tenant), args)
      if (answer[0] === 'lost') throw this.#link.suspect()
      const [now = 0, voided = 0, unresolved = 0, money = 0, hasMore] = answer.slice(1).map(Number)
      this.#clock = { serverMs: now, atMs: this.#options.now() }
      this.#unresolved.set(tenant, money)
      if (voided + unresolved > 0)
        this.#options.onEvent?.({
          what: 'recovered',
          tenant,
          voided: voided,
          unresolved: unresolved,
        })
      if (hasMore !== 1) return
    }
  }

  #sawClock(time: unknown): void {
    const [seconds, micros] = time as readonly string[]
    this.#clock = { serverMs: Number(seconds) * 1000 + Number(micros) / 1000, atMs: this.#options.now() }
  }

  async #drain(): Promise<void> {
    for (const [id, { place, step }] of this.#later) {
      try {
        const answer = await this.#run(id, place, step)
        if (answer[0] === 'lost') throw this.#link.suspect()
        this.#later.delete(id)
        if (answer[0] === 'done' || answer[0] === 'same') this.#ended(id, place, step, answer.slice(2).map(Number))
        else if (step.verb !== 'abandon')
          this.#options.onEvent?.({ what: 'late step refused', attempt: id, answer: answer.join(' ') })
      } catch (error) {
        if (error instanceof RedisDown) return
        throw error
      }
    }
  }
}

function placeOf(root: string, lines: readonly Line[], note: AttemptNote): Place {
  return { tenant: note.tenant, root, books: lines.map(({ book }) => book), hasTask: note.task !== undefined }
}

function withState(args: readonly string[], state: string): readonly string[] {
  return args.with(3, state)
}

/** The arguments of a reservation without its limits: every third from the eleventh on. */
function withoutLimits(args: readonly string[]): readonly string[] {
  return args.map((arg, index) => (index >= 10 && (index - 10) % 3 === 0 ? '' : arg))
}

function isSameStep(a: FinalStep, b: FinalStep): boolean {
  if (a.verb !== 'settle' || b.verb !== 'settle') return a.verb === b.verb
  return a.amounts.every((amount, index) => amount === b.amounts[index])
}
