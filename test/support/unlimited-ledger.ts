import type { Admission, Attempt, Call, Charge, Hold, Ledger, SendOutcome } from '../../src/gateway/steps.ts'
import { ZERO_USD } from '../../src/shared/money.ts'
import { isTierPriced } from '../../src/shared/price.ts'
import { charge } from '../../src/budget/prices/charge.ts'

/** A ledger that keeps nothing: it prices every attempt and refuses none. Tests of other parts and the reference of benchmarks use it. */
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
