import { callMaker, moneySteps, noSteps, OUTCOME, scratch, type MoneySteps } from '../support/ledger-field.ts'
import { spread, type Spread } from '../support/statistics.ts'

export interface LedgerCostOptions {
  readonly rounds: number
  /** Per round and ledger. */
  readonly calls: number
  readonly concurrent: number
}
export interface LedgerCostRow {
  readonly name: string
  /** CPU of the whole process per call, user + system, microseconds. */
  readonly us: Spread
  /** The same less the ledger that does nothing, in the same round. */
  readonly added: Spread
  readonly calls: number
}

/**
 * CPU of the money steps per call: admit, reserve, settle, release. `concurrent` callers each wait some turns of the event loop
 * between reserve and settle, as an upstream would answer. Rounds are interleaved, so that the machine's drift hits all alike.
 */
export async function ledgerCost(options: LedgerCostOptions): Promise<readonly LedgerCostRow[]> {
  const { rounds, calls, concurrent } = options
  // A task of 50 calls, as agents have them.
  const inTasks = (serial: number): string => `task-${Math.floor(serial / 50)}`
  const contenders = [
    { name: 'none', steps: await noSteps(scratch()), makeCall: callMaker(() => undefined) },
    {
      name: 'SQLite, process; calls without a task',
      steps: await moneySteps(scratch(), 'process'),
      makeCall: callMaker(() => undefined),
    },
    {
      name: 'SQLite, process; tasks of 50 calls',
      steps: await moneySteps(scratch(), 'process'),
      makeCall: callMaker(inTasks),
    },
  ]
  const costs = contenders.map((): number[] => [])
  for (const { steps, makeCall } of contenders) await shoot(steps, makeCall, calls, concurrent)
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round) % contenders.length
      const { steps, makeCall } = contenders[index] as (typeof contenders)[number]
      ;(costs[index] as number[]).push(await shoot(steps, makeCall, calls, concurrent))
    }
  }
  for (const { steps } of contenders) await steps.close()
  const [base = []] = costs
  return contenders.map(({ name }, index) => {
    const own = costs[index] as number[]
    const added = own.map((us, round) => us - (base[round] as number))
    return { name, us: spread(own), added: spread(added), calls }
  })
}

/** Microseconds of CPU per call. Bodies are made before the clock starts. */
async function shoot(
  steps: MoneySteps,
  makeCall: ReturnType<typeof callMaker>,
  amount: number,
  concurrent: number,
): Promise<number> {
  const { admitter, ledger, target } = steps
  const calls = Array.from({ length: amount }, makeCall)
  let next = 0
  const before = process.cpuUsage()
  const caller = async (): Promise<void> => {
    for (;;) {
      const call = calls[next++]
      if (call === undefined) return
      const admission = await admitter.admit(call)
      const hold = await ledger.reserve(call, admission, { callId: call.id, number: 1, target, isLast: true })
      for (let turn = next % 8; turn >= 0; turn--) await new Promise(setImmediate)
      await ledger.settle(hold, OUTCOME)
      admitter.release(call, admission, OUTCOME.usage)
    }
  }
  await Promise.all(Array.from({ length: concurrent }, caller))
  const used = process.cpuUsage(before)
  return (used.user + used.system) / amount
}
