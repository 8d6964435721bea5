import type { Admission, Attempt, Call, Charge, Hold, Ledger, SendOutcome } from '../gateway/steps.ts'
import { ZERO_USD } from '../shared/money.ts'
import { charge } from './charge.ts'

/** The ledger of a deployment without limits: it prices every attempt and refuses none. */
export class UnlimitedLedger implements Ledger {
  reserve(call: Call, _admission: Admission, attempt: Attempt): Hold {
    return { attempt, amount: ZERO_USD, outputCap: call.request.maxOutputTokens }
  }

  settle(hold: Hold, { usage }: SendOutcome): Charge {
    const { price } = hold.attempt.target
    if (usage === undefined) return { cost: ZERO_USD }
    return { cost: price === undefined ? undefined : charge(usage, price) }
  }
}
