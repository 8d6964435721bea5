import type { Charge, SendOutcome } from '../gateway/steps.ts'
import { addUsd, type NanoUsd } from '../shared/money.ts'
import { isTierPriced } from '../shared/price.ts'
import { boundedUsage, costOf, reservationOf, type BudgetHold } from './budget-hold.ts'
import type { AttemptLedger, StepResult } from './ledger/ledger.ts'

export interface EndEvents {
  /** More was settled than was held: the bound of this model is wrong. */
  exceeded(attempt: string, model: string, held: NanoUsd, cost: NanoUsd): void
  /** Something that cannot be: a conflict, an unknown attempt. */
  alarm(attempt: string, what: string): void
}

export interface AttemptEndsOptions {
  readonly ledger: AttemptLedger
  readonly events: EndEvents
}

/** Step 7 of a request: books what each try came to, as far as it is known. */
export class AttemptEnds {
  readonly #options: AttemptEndsOptions

  constructor(options: AttemptEndsOptions) {
    this.#options = options
  }

  /** Books the end of a try, once; at once with a ledger of this process. */
  close(hold: BudgetHold, outcome: SendOutcome): Promise<void> | undefined {
    if (!hold.isOpen) return undefined
    hold.isOpen = false
    const { ledger } = this.#options
    const billing = outcome.kind === 'complete' ? 'used' : outcome.billing
    if (billing === 'none') return this.#expect(hold, ledger.void(hold.id))
    const usage =
      billing === 'used' && outcome.usage !== undefined ? boundedUsage(outcome.usage, hold, outcome) : undefined
    const cost = usage === undefined ? undefined : costOf(usage, hold.price)
    if (usage === undefined || cost === undefined) return this.#expect(hold, ledger.unresolve(hold.id))
    const { input, output } = usage
    if (outcome.kind === 'complete' && !usage.estimated) hold.noteInput?.(input)
    const amounts = hold.lines.map((_, index) =>
      index < hold.moneyLines ? cost : index === hold.moneyLines ? input + output : 1,
    )
    const result = ledger.settle(hold.id, amounts, { input, output })
    return result instanceof Promise
      ? result.then((settled) => this.#settled(hold, settled, cost))
      : this.#settled(hold, result, cost)
  }

  /** Ends a try that failed and begins another: an attempt of its own with the same amounts. Resolves with whether it may be sent. */
  async again(hold: BudgetHold, failed: SendOutcome): Promise<boolean> {
    await this.close(hold, failed)
    hold.tryAgain()
    const result = await this.#options.ledger.reserve(reservationOf(hold))
    hold.isOpen = result.kind === 'admitted'
    return hold.isOpen
  }

  #settled(hold: BudgetHold, result: StepResult, cost: NanoUsd): Promise<void> | undefined {
    const { ledger, events } = this.#options
    if (result.kind === 'invalid') {
      events.alarm(hold.id, result.reason)
      return this.#expect(hold, ledger.unresolve(hold.id))
    }
    hold.cost = addUsd(hold.cost, cost)
    if (cost > hold.amount && hold.price !== undefined) events.exceeded(hold.id, hold.note.model, hold.amount, cost)
    return this.#expect(hold, result)
  }

  #expect(hold: BudgetHold, result: StepResult | Promise<StepResult>): Promise<void> | undefined {
    if (result instanceof Promise) {
      return result.then((settled) => {
        void this.#expect(hold, settled)
      })
    }
    if (result.kind !== 'done') this.#options.events.alarm(hold.id, `its step was answered with ${result.kind}`)
    return undefined
  }
}

/** What the caller is told that its request cost; undefined where nobody knows. */
export function chargeOf(hold: BudgetHold, { usage }: SendOutcome): Charge {
  const isPriced = usage === undefined || (hold.price !== undefined && isTierPriced(hold.price, usage.serviceTier))
  return { cost: isPriced ? hold.cost : undefined }
}
