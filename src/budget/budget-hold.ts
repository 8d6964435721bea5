import type { Attempt, Call, Hold, SendOutcome } from '../gateway/steps.ts'
import type { Usage } from '../protocol/answer.ts'
import type { ChatRequest } from '../protocol/request.ts'
import { ZERO_USD, type NanoUsd } from '../shared/money.ts'
import { isTierPriced, type Price } from '../shared/price.ts'
import { charge } from './prices/charge.ts'
import { withinHold, type SizedHold } from './hold/hold.ts'
import type { AttemptNote, Line, Reservation } from './ledger/ledger.ts'
import { thinksUnseen } from './hold/thinks-unseen.ts'

/**
 * Tokens per choice that an engine may still generate after a stream broke or its reader left: it notices within about a second, and
 * hosted models generate at most some 200 tokens a second.
 */
const IN_FLIGHT_TOKENS = 200
/** What a hold pays for. */
export type Sized = Pick<SizedHold, 'amount' | 'outputCap' | 'inputTokens' | 'outputTokens'>

/** The hold of a model without a price, where no budget applies: nothing. */
export const UNPRICED: SizedHold = {
  kind: 'hold',
  amount: ZERO_USD,
  outputCap: undefined,
  inputTokens: 0,
  outputTokens: 0,
  limitedBy: 'nothing',
}

export interface BudgetHoldInit {
  readonly attempt: Attempt
  readonly sized: Sized
  readonly price: Price | undefined
  readonly lines: readonly Line[]
  readonly moneyLines: number
  readonly note: AttemptNote
  readonly request: ChatRequest
  readonly call: Call | undefined
  readonly noteInput: ((tokens: number) => void) | undefined
  readonly again: (hold: BudgetHold, failed: SendOutcome) => Promise<boolean>
}

/** What one send may cost, with the id of the try under way. */
export class BudgetHold implements Hold {
  readonly attempt: Attempt
  readonly amount: NanoUsd
  readonly outputCap: number | undefined
  readonly loweredCap: number | undefined
  readonly call?: Call
  /** In force when it was reserved; a price that changes meanwhile does not count. */
  readonly price: Price | undefined
  readonly lines: readonly Line[]
  readonly moneyLines: number
  readonly note: AttemptNote
  readonly inputTokens: number
  readonly outputTokens: number
  readonly request: ChatRequest
  /** Wants to know what the upstream counted of the prompt. */
  readonly noteInput: ((tokens: number) => void) | undefined
  /** Settled for all tries so far. */
  cost: NanoUsd = ZERO_USD
  isOpen = true
  /** Of the try under way: `req_…/1`, `req_…/1.2`. Kept, as each step of an attempt is told by it. */
  id: string
  #tries = 1
  readonly #again: BudgetHoldInit['again']

  constructor(init: BudgetHoldInit) {
    this.attempt = init.attempt
    this.id = `${init.attempt.callId}/${init.attempt.number}`
    this.amount = init.sized.amount
    const { outputCap } = init.sized
    this.outputCap = outputCap
    const { maxOutputTokens: asked } = init.request
    const isLowered = asked !== undefined && outputCap !== undefined && outputCap < asked
    this.loweredCap = isLowered ? outputCap : undefined
    if (init.call !== undefined) this.call = init.call
    this.price = init.price
    this.lines = init.lines
    this.moneyLines = init.moneyLines
    this.note = init.note
    this.inputTokens = init.sized.inputTokens
    this.outputTokens = init.sized.outputTokens
    this.request = init.request
    this.noteInput = init.noteInput
    this.#again = init.again
  }

  /** A further try is an attempt of its own. */
  tryAgain(): void {
    const { callId, number } = this.attempt
    this.#tries += 1
    this.id = `${callId}/${number}.${this.#tries}`
  }

  again(failed: SendOutcome): Promise<boolean> {
    return this.#again(this, failed)
  }
}

/** The hold as the ledger takes it; it is sent at once. */
export function reservationOf({ id, lines, note }: BudgetHold): Reservation {
  return { id, lines, note, sendsAtOnce: true }
}

/**
 * Reported usage stays as it is; our own count of a broken stream grows by what may be in flight, and stays within what is held.
 * Undefined where it is no upper count, as the model may have thought unseen.
 */
export function boundedUsage(usage: Usage, hold: BudgetHold, outcome: SendOutcome): Usage | undefined {
  if (!usage.estimated || hold.price === undefined) return usage
  if (outcome.kind !== 'complete' && thinksUnseen(hold.request, hold.attempt.target)) return undefined
  const inFlight = outcome.kind === 'complete' ? 0 : IN_FLIGHT_TOKENS * hold.request.n
  return withinHold({ ...usage, output: usage.output + inFlight }, hold)
}

/** Undefined where the price of the service tier is not known, or the cost leaves the safe integers. */
export function costOf(usage: Usage, price: Price | undefined): NanoUsd | undefined {
  if (price === undefined) return ZERO_USD
  if (!isTierPriced(price, usage.serviceTier)) return undefined
  try {
    return charge(usage, price)
  } catch {
    return undefined
  }
}
