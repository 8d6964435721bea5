import { RedisDown, type RedisLink } from '../../store/redis-link.ts'
import { Heart } from './heart.ts'
import { invalidLine } from '../ledger/invalid-line.ts'
import { KnownBalances } from './known-balances.ts'
import { LateSteps, type LateStep } from './late-steps.ts'
import { isAmount } from '../ledger/ledger.ts'
import type {
  AttemptLedger,
  AttemptTokens,
  Balance,
  Line,
  Reservation,
  ReserveResult,
  StepResult,
} from '../ledger/ledger.ts'
import { ledgerUnavailable } from '../ledger/ledger-unavailable.ts'
import { LEDGER_SCRIPTS, rootOf } from './redis-scripts.ts'
import * as steps from './redis-steps.ts'
import type { FinalStep, OwnAttempt, Place } from './redis-steps.ts'
import { RedisTenants } from './redis-tenants.ts'
import { ToldSteps } from './told-steps.ts'

/** How long a Redis that comes back is left alone, so that every gateway can tell it what it may have forgotten, ms. */
const RETURN_MS = 1000
const TOLD_AT_ONCE = 500
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
  /** Hears of steps that were told late and contradicted what is known, and of dead gateways. */
  readonly onEvent?: (event: LedgerEvent) => void
}

export type LedgerEvent =
  | { readonly what: 'late step refused'; readonly attempt: string; readonly answer: string }
  | { readonly what: 'recovered'; readonly tenant: string; readonly voided: number; readonly unresolved: number }

export interface SharedDocument {
  readonly kind: string
  readonly id: string
  readonly version: number
  readonly text: string
}

/**
 * The ledger that several gateways share: every step is one Lua script in one round trip, so that Redis decides and nobody else. It fails
 * closed: what cannot be written down is not reserved. Steps after the reservation are told later where they cannot be told at once.
 */
export class RedisLedger implements AttemptLedger {
  readonly #link: RedisLink
  readonly #options: RedisLedgerOptions
  readonly #tenants: RedisTenants
  readonly #heart: Heart
  readonly #known: KnownBalances
  readonly #open = new Map<string, OwnAttempt>()
  readonly #places = new Map<string, Place>()
  readonly #late: LateSteps
  readonly #told: ToldSteps

  constructor(link: RedisLink, options: RedisLedgerOptions) {
    this.#link = link
    this.#options = options
    this.#tenants = new RedisTenants(link)
    this.#known = new KnownBalances(options.now)
    this.#told = new ToldSteps(options.now)
    this.#late = new LateSteps((id, late) => this.#tellLate(id, late))
    this.#heart = new Heart(link, this.#tenants, {
      ...options,
      onRecovered: (tenant, voided, unresolved) => options.onEvent?.({ what: 'recovered', tenant, voided, unresolved }),
    })
  }

  /** Gives signs of life from now on, and takes care of what dead gateways left. */
  start(): Promise<void> {
    return this.#heart.start(() => this.drain())
  }

  async reserve(reservation: Reservation): Promise<ReserveResult> {
    const { id, lines, note } = reservation
    const reason = invalidLine(lines)
    if (reason !== undefined) return { kind: 'invalid', reason }
    // What is overdue comes first: its money may be what this one needs.
    if (!this.#late.isEmpty) void this.drain()
    let root: string | undefined
    try {
      root = await this.#rootOf(note.tenant)
      const args = steps.reserveArgs(this.#link.epoch, this.#options.owner, reservation)
      const answer = await this.#link.run(LEDGER_SCRIPTS.reserve, root, args)
      return this.#reserved(answer, reservation, { ...steps.placeOf(root, lines, note), args })
    } catch (error) {
      if (!(error instanceof RedisDown)) throw error
      // It may be there, and nobody will send it.
      if (error.mayHaveRun && root !== undefined)
        this.#late.keep(id, { place: steps.placeOf(root, lines, note), step: { verb: 'abandon' } })
      return { kind: 'unavailable', reason: error.message }
    }
  }

  /** Rejects with RedisDown where it is not durable: then nothing may be sent. */
  async sent(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    if (place === undefined) return { kind: 'unknown' }
    const args = steps.moveArgs(this.#link.epoch, id, 'sent')
    const answer = await this.#link.run(LEDGER_SCRIPTS.move, place.root, args)
    const own = this.#open.get(id)
    if (own !== undefined && answer[0] === 'done')
      this.#open.set(id, { ...own, args: steps.withState(own.args, 'sent') })
    return this.#stepResult(answer, place)
  }

  async settle(id: string, amounts: readonly number[], tokens?: AttemptTokens): Promise<StepResult> {
    const place = await this.#placeOf(id)
    if (place === undefined) return { kind: 'unknown' }
    if (amounts.length !== place.books.length || !amounts.every(isAmount))
      return { kind: 'invalid', reason: 'one whole number >= 0 is needed for each line' }
    return this.#end(id, place, { verb: 'settle', amounts, tokens })
  }

  async void(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    return place === undefined ? { kind: 'unknown' } : this.#end(id, place, { verb: 'void' })
  }

  async unresolve(id: string): Promise<StepResult> {
    const place = await this.#placeOf(id)
    return place === undefined ? { kind: 'unknown' } : this.#end(id, place, { verb: 'unresolve' })
  }

  /** At once where it was read a moment ago. The tenant may be left out of books that this process has seen. Throws `ledger_unavailable`. */
  balance(book: string, tenant?: string): Balance | Promise<Balance> {
    return this.#known.fresh(book) ?? this.#readBalance(book, tenant)
  }

  /** What this process saw last in a book, zeros if nothing: for answers, never for decisions. */
  lastSeen(book: string): Balance {
    return this.#known.last(book)
  }

  /** Reads a document and books in one round trip; version 0 = there is no such document. Throws RedisDown. */
  async look(
    tenant: string,
    document: Pick<SharedDocument, 'kind' | 'id'> | undefined,
    books: readonly string[],
  ): Promise<Pick<SharedDocument, 'version' | 'text'>> {
    const root = await this.#rootOf(tenant)
    const args = [this.#link.epoch, document?.kind ?? '', document?.id ?? '', ...books]
    const [kind, version, text, ...figures] = await this.#link.run(LEDGER_SCRIPTS.look, root, args)
    if (kind === 'lost') throw this.#link.suspect()
    this.#known.learn(books, figures.map(Number), tenant)
    return { version: Number(version), text: String(text) }
  }

  /** Writes a document over the version that was read; answers with what stands there instead where that has changed. Throws RedisDown. */
  async write(
    tenant: string,
    { kind, id, version, text }: SharedDocument,
  ): Promise<Pick<SharedDocument, 'version' | 'text'> & { readonly isWritten: boolean }> {
    const root = await this.#rootOf(tenant)
    const args = [this.#link.epoch, kind, id, String(version), text]
    const [result, now, other] = await this.#link.run(LEDGER_SCRIPTS.write, root, args)
    if (result === 'lost') throw this.#link.suspect()
    return { isWritten: result === 'done', version: Number(now), text: result === 'done' ? text : String(other) }
  }

  /** Root of a tenant whose books are there. Throws RedisDown. */
  rootOf(tenant: string): string | Promise<string> {
    return this.#rootOf(tenant)
  }

  /** Unix milliseconds by the clock of Redis, which is the same for all gateways; undefined before the first sign of life. */
  serverNow(): number | undefined {
    return this.#heart.serverNow()
  }

  /** Nano-dollars that this process holds, and that are unresolved in all books (as of the last sign of life). */
  openMoney(): { readonly held: number; readonly unresolved: number } {
    let held = 0
    for (const attempt of this.#open.values()) held += steps.heldIn(attempt, 0)
    return { held, unresolved: this.#heart.unresolved() }
  }

  /** One sign of life in the books of every tenant, and a look at the others. Never rejects. */
  beat(): Promise<void> {
    return this.#heart.beat()
  }

  /** Tells what could not be told before, as far as it can be told now. */
  drain(): Promise<void> {
    return this.#late.drain()
  }

  /** Before a Redis that was away is used again: tells it what it may have forgotten. Rejects with RedisDown. */
  async returned(hasRestarted: boolean): Promise<void> {
    // A tenant that was forgotten has no books any more.
    this.#tenants.forget()
    if (!hasRestarted) return
    const told: readonly { readonly id: string; readonly attempt: OwnAttempt; readonly step?: FinalStep }[] = [
      ...this.#told.recent(),
      ...[...this.#open].map(([id, attempt]) => ({ id, attempt })),
    ]
    for (const tenant of new Set(told.map(({ attempt }) => attempt.tenant))) await this.#tenants.enter(tenant, true)
    for (let at = 0; at < told.length; at += TOLD_AT_ONCE) {
      await Promise.all(
        told.slice(at, at + TOLD_AT_ONCE).flatMap(({ id, attempt, step }) => [
          // It was admitted before, so that no limit is asked again.
          this.#link.run(LEDGER_SCRIPTS.reserve, attempt.root, steps.withoutLimits(attempt.args), true),
          ...(step === undefined ? [] : [this.#run(id, attempt, step, true)]),
        ]),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, RETURN_MS))
  }

  /** Tells what has not been told yet, and leaves the rest of its attempts to the other gateways. */
  async close(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, LONGEST_CLOSE_MS).unref())
    await Promise.race([this.drain(), late])
    await this.#heart.stop()
  }

  #rootOf(tenant: string): string | Promise<string> {
    return this.#tenants.known(tenant) ?? this.#tenants.enter(tenant)
  }

  #reserved(answer: readonly unknown[], { id, lines, note }: Reservation, own: OwnAttempt): ReserveResult {
    switch (answer[0]) {
      case 'admitted':
        this.#known.learn(own.books, answer.slice(1).map(Number), note.tenant)
        this.#open.set(id, own)
        return { kind: 'admitted' }
      case 'replayed':
        if (!this.#open.has(id)) this.#remember(id, own)
        return { kind: 'replayed' }
      case 'conflict':
        return { kind: 'conflict' }
      case 'refused': {
        const [index = 0, settled = 0, held = 0, unresolved = 0, isHeldOnly] = answer.slice(1).map(Number)
        const { book, amount, limit = Number.MAX_SAFE_INTEGER } = lines[index] as Line
        this.#known.learn([book], [settled, held, unresolved], note.tenant)
        const balance = { settled, held, unresolved }
        return { kind: 'refused', book, limit, amount, balance, isHeldOnly: isHeldOnly === 1 }
      }
      default:
        throw this.#link.suspect()
    }
  }

  #run(id: string, place: Place, step: FinalStep, evenIfDown = false): Promise<readonly unknown[]> {
    const { epoch } = this.#link
    if (step.verb === 'settle')
      return this.#link.run(LEDGER_SCRIPTS.settle, place.root, steps.settleArgs(epoch, id, step), evenIfDown)
    return this.#link.run(LEDGER_SCRIPTS.move, place.root, steps.moveArgs(epoch, id, step.verb), evenIfDown)
  }

  /** Takes a step now, or keeps it until Redis is back: the money stays held until then. */
  async #end(id: string, place: Place, step: FinalStep): Promise<StepResult> {
    const waiting = this.#late.get(id)
    if (waiting !== undefined) return steps.isSameStep(waiting.step, step) ? { kind: 'same' } : { kind: 'conflict' }
    try {
      const answer = await this.#run(id, place, step)
      const result = this.#stepResult(answer, place)
      if (result.kind === 'done') this.#ended(id, place, step, steps.figuresOf(answer))
      return result
    } catch (error) {
      if (!(error instanceof RedisDown)) throw error
      this.#late.keep(id, { place, step })
      return { kind: 'done', exceeded: this.#exceeded(id, place, step) }
    }
  }

  async #tellLate(id: string, { place, step }: LateStep): Promise<void> {
    const answer = await this.#run(id, place, step)
    const { kind } = this.#stepResult(answer, place)
    if (kind === 'done' || kind === 'same') this.#ended(id, place, step, steps.figuresOf(answer))
    else if (step.verb !== 'abandon')
      this.#options.onEvent?.({ what: 'late step refused', attempt: id, answer: answer.join(' ') })
  }

  #stepResult(answer: readonly unknown[], place: Place): StepResult {
    const result = steps.stepResult(answer, place)
    if (result === undefined) throw this.#link.suspect()
    return result
  }

  #ended(id: string, place: Place, step: FinalStep, figures: readonly number[]): void {
    const attempt = this.#open.get(id)
    if (attempt !== undefined) this.#told.add(id, attempt, step)
    this.#open.delete(id)
    this.#remember(id, place)
    if (figures.length > 0) this.#known.learn(place.books, figures, place.tenant)
    else this.#known.forget(place.books)
    this.#options.onFreed?.(place.books)
  }

  /** Books in which a step that could not be told will settle more than is held. */
  #exceeded(id: string, { books }: Place, step: FinalStep): readonly string[] {
    const own = this.#open.get(id)
    if (step.verb !== 'settle' || own === undefined) return []
    return books.filter((_, line) => (step.amounts[line] ?? 0) > steps.heldIn(own, line))
  }

  #remember(id: string, { tenant, root, books }: Place): void {
    this.#places.set(id, { tenant, root, books })
    if (this.#places.size > MOST_PLACES) this.#places.delete(this.#places.keys().next().value as string)
  }

  /** Where an attempt stands; one of another process is looked for in the books of all tenants. */
  async #placeOf(id: string): Promise<Place | undefined> {
    const near = this.#open.get(id) ?? this.#places.get(id) ?? this.#late.get(id)?.place
    if (near !== undefined) return near
    for (const tenant of await this.#tenants.all()) {
      const root = rootOf(tenant)
      const lines = await this.#link.command('HGET', [`${root}:attempt:${id}`, 'lines'])
      if (typeof lines !== 'string') continue
      const place = steps.storedPlace(tenant, root, lines)
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
}
