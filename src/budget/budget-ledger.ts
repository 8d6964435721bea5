import type { Attempt, Call, Charge, Hold, Ledger, SendOutcome } from '../gateway/steps.ts'
import { SwitchyardError, type ErrorCode } from '../shared/errors.ts'
import type { NanoUsd } from '../shared/money.ts'
import type { Price } from '../shared/price.ts'
import { atLimit } from './at-limit.ts'
import { AttemptEnds, chargeOf, type EndEvents } from './attempt-ends.ts'
import type { BoundOf, NoteInput } from './hold/bound-of.ts'
import type { BudgetAdmission } from './budget-admitter.ts'
import { BudgetHold, reservationOf, UNPRICED, type Sized } from './budget-hold.ts'
import {
  bookFull,
  heldByOthers,
  ledgerUnavailable,
  moneyGone,
  tokensGone,
  unpriced,
  type Gone,
} from './budget-refusals.ts'
import { NO_ROOM_NEEDED, roomIn } from './budget-room.ts'
import type { HoldDecision, SizedHold } from './hold/hold.ts'
import type { AttemptLedger, AttemptNote, Line, ReserveResult } from './ledger/ledger.ts'
import { SpendBooks, type LimitedBook } from './spend-books.ts'
import { LIMIT_PARAMS, type CapAtLimit } from './tasks/task-limits.ts'
import type { Task } from './tasks/task.ts'
import type { Tasks } from './tasks/tasks.ts'
import type { WaitingLines } from './tasks/waiting-line.ts'
import type { WallDay } from './wall-day.ts'

/** A prompt is remembered from the time on when the budget holds no more than so many calls like it: before, its bytes do. */
const NEAR_HOLDS = 4
/** What a call without a cap should be able to generate, if it can have that by waiting for other calls: better late than cut short. */
const FAIR_OUTPUT_TOKENS = 1024

export interface BudgetEvents extends EndEvents {
  refused(code: ErrorCode): void
  /** A caller's output cap was lowered to what the budget pays. */
  lowered(): void
}

export interface BudgetSettings {
  readonly holdWaitMs: number
  readonly minOutputTokens: number
  /** What becomes of a caller's output cap that the budget cannot pay, where the task's type says nothing else. */
  readonly capAtLimit: CapAtLimit
}

export interface BudgetLedgerOptions {
  /** Its balances are at hand; a driver that has to ask for them answers with promises. */
  readonly ledger: AttemptLedger
  readonly tasks: Tasks
  readonly lines: WaitingLines
  readonly boundOf: BoundOf
  readonly noteInput: NoteInput
  readonly day: WallDay
  readonly wallNow: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly settings: () => BudgetSettings
  readonly events: BudgetEvents
}

/** The outcome of one look at the books. */
type Look =
  | { readonly kind: 'held'; readonly hold: BudgetHold }
  /** Other calls hold what is missing. */
  | { readonly kind: 'wait'; readonly book: string }
  | Gone

/** Steps 4 and 7 of a request: holds the worst case of each attempt in all books before it is sent, and books what it cost. */
export class BudgetLedger implements Ledger {
  readonly #options: BudgetLedgerOptions
  readonly #spend = new SpendBooks()
  readonly #ends: AttemptEnds

  constructor(options: BudgetLedgerOptions) {
    this.#options = options
    this.#ends = new AttemptEnds(options)
  }

  reserve(call: Call, admission: BudgetAdmission, attempt: Attempt): Promise<Hold> {
    return this.#reserveUnlimited(call, admission, attempt) ?? this.#reserveLimited(call, admission, attempt)
  }

  /** The short way of a call that no book limits: nothing can refuse it, it is only written down. Undefined = take the long way. */
  #reserveUnlimited(call: Call, admission: BudgetAdmission, attempt: Attempt): Promise<Hold> | undefined {
    if (admission.task !== undefined) return undefined
    const { books, isLimited } = this.#spend.of(call.caller, this.#options.day.today())
    if (isLimited) return undefined
    const { price } = attempt.target
    const bound = price === undefined ? UNPRICED : this.#bound(call, attempt, price, undefined, false, undefined)
    if (bound instanceof Promise || bound.kind === 'refused') return undefined
    const hold = this.#hold(call, admission, attempt, price, books, bound)
    return this.#options.ledger.reserve(reservationOf(hold)).then((result) => {
      if (result.kind === 'admitted' || result.kind === 'replayed') return hold
      // A sum that leaves the safe integers, a store that cannot be written: said as on the long way.
      const look = this.#outcome(result, hold, books, undefined)
      throw this.#refuse(look.kind === 'gone' ? look.error : heldByOthers())
    })
  }

  async #reserveLimited(call: Call, admission: BudgetAdmission, attempt: Attempt): Promise<Hold> {
    const { task } = admission
    const { price } = attempt.target
    const untilMs = this.#options.now() + this.#options.settings().holdWaitMs
    let effective = admission.isWrapUp === true ? withoutTools(call) : call
    for (;;) {
      let look = await this.#look(effective, admission, attempt, price, undefined)
      while (look.kind === 'wait') look = await this.#waitFor(look.book, effective, admission, attempt, price, untilMs)
      if (look.kind === 'held') return look.hold
      const isDecided = task === undefined || !look.isTasks || attempt.isLast === false || admission.isWrapUp === true
      if (isDecided) throw this.#refuse(look.error)
      try {
        if ((await atLimit(this.#options.tasks, task, call, look.error)) === 'wrap-up') {
          admission.isWrapUp = true
          effective = withoutTools(call)
        }
      } catch (thrown) {
        throw thrown === look.error ? this.#refuse(look.error) : thrown
      }
    }
  }

  settle(given: Hold, outcome: SendOutcome): Charge | Promise<Charge> {
    const hold = given as BudgetHold
    const closing = this.#ends.close(hold, outcome)
    return closing === undefined ? chargeOf(hold, outcome) : closing.then(() => chargeOf(hold, outcome))
  }

  /** Waits in the line of a book until the call fits, or is refused for good, or has to wait for another book. */
  async #waitFor(
    book: string,
    call: Call,
    admission: BudgetAdmission,
    attempt: Attempt,
    price: Price | undefined,
    untilMs: number,
  ): Promise<Look> {
    const place = this.#options.lines.join(book)
    try {
      for (;;) {
        const isCalled = await place.wait(untilMs - this.#options.now(), call.signal)
        call.signal.throwIfAborted()
        if (!isCalled) {
          throw this.#refuse(heldByOthers())
        }
        const look = await this.#look(call, admission, attempt, price, book)
        if (look.kind !== 'wait' || look.book !== book) return look
      }
    } finally {
      place.leave()
    }
  }

  /** Sizes the attempt for what is left and tries to hold it. `waitedFor` = the book in whose line the call is the first. */
  async #look(
    call: Call,
    admission: BudgetAdmission,
    attempt: Attempt,
    price: Price | undefined,
    waitedFor: string | undefined,
  ): Promise<Look> {
    const { task } = admission
    const { ledger, lines } = this.#options
    const books = this.#books(call, task)
    const isLimited = books.some((each) => each.limit !== undefined)
    if (price === undefined && isLimited) return { kind: 'gone', isTasks: false, error: unpriced(attempt.target.name) }
    for (const { book, limit } of isLimited ? books : []) {
      if (limit !== undefined && book !== waitedFor && lines.isBusy(book)) return { kind: 'wait', book }
    }
    const room = isLimited ? await roomIn(books, ledger) : NO_ROOM_NEEDED
    // Another model may give the whole answer for less.
    const lowersCap = attempt.isLast !== false && this.#lowersCap(task)
    const size = (remaining: number | undefined): HoldDecision | Promise<HoldDecision> =>
      price === undefined ? UNPRICED : this.#bound(call, attempt, price, remaining, lowersCap, task)
    let bound: HoldDecision = await size(room.now)
    const isContended = room.later !== undefined && room.now !== room.later
    if (isContended && isShort(bound, call)) {
      const later = await size(room.later)
      // What is held by others would do it, or would let the answer be longer: wait, unless there is nothing to win.
      if (later.kind === 'hold' && (bound.kind === 'refused' || isLonger(later, bound)))
        return { kind: 'wait', book: (room.tightest as LimitedBook).book }
      if (bound.kind === 'refused') bound = later
    }
    if (bound.kind === 'refused') return moneyGone(room, bound, task)
    const sized = task?.limits.tokens === undefined ? bound : await this.#withinTokens(bound, task, call, lowersCap)
    if (sized === undefined) return { kind: 'gone', isTasks: true, error: tokensGone(task as Task) }
    const isNear = room.now !== undefined && sized.amount > room.now / NEAR_HOLDS
    const hold = this.#hold(call, admission, attempt, price, books, sized, isNear)
    const result = await ledger.reserve(reservationOf(hold))
    if (hold.loweredCap !== undefined && result.kind === 'admitted') this.#options.events.lowered()
    return this.#outcome(result, hold, books, task)
  }

  #bound(
    call: Call,
    attempt: Attempt,
    price: Price,
    remaining: number | undefined,
    lowersCap: boolean,
    task: Task | undefined,
  ): HoldDecision | Promise<HoldDecision> {
    return this.#options.boundOf({
      request: call.request,
      target: attempt.target,
      price,
      remaining: remaining as NanoUsd | undefined,
      minOutputTokens: this.#options.settings().minOutputTokens,
      lowersCap,
      known: task?.prompts,
      signal: call.signal,
    })
  }

  /** What the ledger's answer to a reservation means for the call. Throws where the ledger cannot answer. */
  #outcome(result: ReserveResult, hold: BudgetHold, books: readonly LimitedBook[], task: Task | undefined): Look {
    switch (result.kind) {
      case 'admitted':
      case 'replayed':
        return { kind: 'held', hold }
      case 'refused':
        return result.isHeldOnly ? { kind: 'wait', book: result.book } : bookFull(result, books, task)
      case 'unavailable':
        throw this.#refuse(ledgerUnavailable(result.reason))
      case 'invalid':
      case 'conflict':
        this.#options.events.alarm(hold.id, result.kind === 'invalid' ? result.reason : 'two attempts of one id')
        throw new SwitchyardError(
          'internal_error',
          'The gateway failed on this request; its log has the cause under this request id.',
        )
      default:
        return result satisfies never
    }
  }

  #books(call: Call, task: Task | undefined): readonly LimitedBook[] {
    const spend = this.#spend.of(call.caller, this.#options.day.today()).books
    if (task === undefined) return spend
    return [{ book: task.books.usd, limit: task.limits.usd, param: LIMIT_PARAMS.usd }, ...spend]
  }

  #lowersCap(task: Task | undefined): boolean {
    const own = task === undefined ? undefined : this.#options.tasks.type(task.type).capAtLimit
    return (own ?? this.#options.settings().capAtLimit) === 'lower'
  }

  /** A hard limit of tokens needs a cap on every answer, also where money asks for none. Undefined = there is no room for a useful one. */
  async #withinTokens(bound: Sized, task: Task, call: Call, lowersCap: boolean): Promise<Sized | undefined> {
    const { tokens = 0 } = task.limits
    const { n, maxOutputTokens, thinking } = call.request
    // The ledger refuses a cap of the caller's that does not fit and may not be lowered.
    if (maxOutputTokens !== undefined && !lowersCap) return bound
    const { settled, held, unresolved } = await this.#options.ledger.balance(task.books.tokens)
    const sent = bound.outputCap ?? Math.ceil(bound.outputTokens / n)
    // Output that is billed beyond the cap.
    const extra = Math.max(0, bound.outputTokens - sent * n)
    const left = tokens - settled - held - unresolved - bound.inputTokens - extra
    const cap = Math.min(sent, Math.floor(left / n))
    if (maxOutputTokens !== undefined && cap === sent) return bound
    if (cap < this.#options.settings().minOutputTokens + (thinking?.budgetTokens ?? 0)) return undefined
    return { ...bound, outputCap: cap, outputTokens: cap * n + extra }
  }

  #hold(
    call: Call,
    admission: BudgetAdmission,
    attempt: Attempt,
    price: Price | undefined,
    books: readonly LimitedBook[],
    sized: Sized,
    isNear = false,
  ): BudgetHold {
    const { task } = admission
    const lines: Line[] = books.map(({ book, limit }) => ({ book, amount: sized.amount, limit }))
    if (task !== undefined) {
      const tokens = sized.inputTokens + sized.outputTokens
      // The last request of a task is served beyond its number of calls; its money and tokens stay hard.
      const calls = admission.isWrapUp === true ? undefined : task.limits.modelCalls
      lines.push({ book: task.books.tokens, amount: tokens, limit: task.limits.tokens })
      lines.push({ book: task.books.calls, amount: 1, limit: calls })
    }
    const note: AttemptNote = {
      tenant: call.caller.tenant,
      key: call.caller.key,
      task: task?.id,
      taskType: admission.taskType,
      ...(task === undefined ? {} : { toolCalls: task.toolCalls }),
      model: attempt.target.name,
      upstream: attempt.target.upstream,
      day: this.#options.day.today(),
      atMs: this.#options.wallNow(),
    }
    return new BudgetHold({
      attempt,
      sized,
      price,
      lines,
      moneyLines: books.length,
      note,
      request: call.request,
      call: admission.isWrapUp === true ? call : undefined,
      noteInput:
        isNear && task !== undefined
          ? (tokens) => this.#options.noteInput(task.prompts, call.request, attempt.target, tokens)
          : undefined,
      again: (hold, failed) => this.#ends.again(hold, failed),
    })
  }

  #refuse(error: SwitchyardError): SwitchyardError {
    this.#options.events.refused(error.code)
    return error
  }
}

/** Whether a bound is refused, or its injected or lowered cap so small that the answer may be cut short. */
function isShort(bound: HoldDecision, call: Call): boolean {
  if (bound.kind === 'refused') return true
  const { maxOutputTokens = FAIR_OUTPUT_TOKENS } = call.request
  return (bound.outputCap ?? FAIR_OUTPUT_TOKENS) < Math.min(FAIR_OUTPUT_TOKENS, maxOutputTokens)
}

function isLonger(later: SizedHold, now: SizedHold): boolean {
  return (later.outputCap ?? 0) > (now.outputCap ?? 0)
}

function withoutTools(call: Call): Call {
  if (call.request.tools.length === 0) return call
  const { toolChoice: _choice, parallelToolCalls: _parallel, ...request } = call.request
  return { ...call, request: { ...request, tools: [] } }
}
