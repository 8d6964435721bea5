import type { Admission, Attempt, Call, Charge, Hold, Ledger, SendOutcome } from '../gateway/steps.ts'
import { ZERO_USD } from '../shared/money.ts'
import { isTierPriced } from '../shared/price.ts'
import { charge } from './charge.ts'

/** The ledger of a deployment without limits: it prices every attempt and refuses none. */
export class UnlimitedLedger implements Ledger {
  reserve(call: Call, _admission: Admission, attempt: Attempt): Hold {
    return { attempt, amount: ZERO_USD, outputCap: call.request.maxOutputTokens, price: attempt.target.price }
  }

  settle(hold: Hold, { usage }: SendOutcome): Charge {
    const { price } = hold
    if (usage === undefined) return { cost: ZERO_USD }
    const isPriced = price !== undefined && isTierPriced(price, usage.serviceTier)
    return { cost: isPriced ? charge(usage, price) : undefined }
  }
}
