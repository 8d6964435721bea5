import { callMaker, moneySteps, OUTCOME, scratch } from '../support/ledger-field.ts'
import { quantile } from '../support/statistics.ts'

export interface LedgerPowerResult {
  readonly reservations: number
  readonly perSecond: number
  /** From asking to the durable answer. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Reservations with an fsync before each is answered; those that wait at the same time share one. */
export async function ledgerPower(options: {
  readonly seconds: number
  readonly concurrent: number
}): Promise<LedgerPowerResult> {
  const steps = await moneySteps(scratch(), 'power')
  const { admitter, ledger, target } = steps
  const makeCall = callMaker(() => undefined)
  const times: number[] = []
  const started = performance.now()
  const until = started + options.seconds * 1000
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const call = makeCall()
      const admission = await admitter.admit(call)
      const asked = performance.now()
      const hold = await ledger.reserve(call, admission, { callId: call.id, number: 1, target, isLast: true })
      times.push(performance.now() - asked)
      await ledger.settle(hold, OUTCOME)
      admitter.release(call, admission, OUTCOME.usage)
    }
  }
  await Promise.all(Array.from({ length: options.concurrent }, caller))
  const seconds = (performance.now() - started) / 1000
  await steps.close()
  return {
    reservations: times.length,
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  }
}
