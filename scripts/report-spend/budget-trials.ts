import { quantile } from '../../benchmarks/support/statistics.ts'
import { NANO_PER_USD, toNanoUsd, usdToNano, type NanoUsd } from '../../src/shared/money.ts'
import { MIN_OUTPUT_TOKENS } from './hold-size.ts'
import { replay, type ReplayOutcome } from './replay.ts'
import type { Session } from './sessions.ts'
import { share } from './spend-figures.ts'
import type { TrialSetup } from './trial-setups.ts'

/** Budgets as multiples of what the session really cost; the first is the one that is asked for. */
export const FACTORS = [1.2, 1.5, 2, 3] as const
/** Beside the multiple, what the worst case of the call under way may need. */
export const ALLOWANCE_USD = 2
/** The built-in task type `default`. */
export const DEFAULT_USD = 25
export const DEFAULT_CONCURRENCY = 64
/** Lower ends of bands of what a session cost, USD. */
export const BANDS_USD = [0, 1, 5, 10, 25] as const

/** Shares are 0..1 of the sessions. A session passes if no call is refused and no answer is cut. */
export interface Trial {
  readonly prompt: TrialSetup['prompt']
  readonly rate: string
  readonly cap: 'as sent' | 'lowered'
  /** By budget: each of `FACTORS` times the cost. */
  readonly passed: readonly number[]
  /** With the first factor and `ALLOWANCE_USD`. */
  readonly passedWithAllowance: number
  /** With the first factor, within each band. */
  readonly passedByBand: readonly number[]
  /** With the first factor: a call was refused; or none was, but an answer was cut. */
  readonly refused: number
  readonly cutShort: number
  /** Share of calls, with the first factor: waited for other calls' holds; waited so long that they had to be sent again. */
  readonly waited: number
  readonly sentAgain: number
  /** USD that the budget must be above the cost for a session to pass, its calls one after the other. */
  readonly neededP50: number
  readonly neededP95: number
  /** With the built-in default; and the USD with which 95 % of the sessions pass. */
  readonly refusedByDefault: number
  readonly cutByDefault: number
  readonly budgetFor95: number
}

/** One way of sizing holds against every budget. */
export function budgetTrial(sessions: readonly Session[], setup: TrialSetup): Trial {
  const { rule, costOf } = setup
  const costs = sessions.map(({ calls }) => calls.reduce((sum, call) => sum + costOf(call), 0))
  const run = (budgetOf: (cost: number) => number): readonly ReplayOutcome[] =>
    sessions.map((session, at) => replay(session, ceiling(budgetOf(costs[at] as number)), rule, costOf))
  const byFactor = FACTORS.map((factor) => run((cost) => cost * factor))
  const tight = byFactor[0] as readonly ReplayOutcome[]
  const byDefault = run(() => usdToNano(DEFAULT_USD))
  const needed = sessions.map((session) => neededFor(session, setup) / NANO_PER_USD)
  const above = needed.map((usd, at) => usd - (costs[at] as number) / NANO_PER_USD)
  const withAllowance = run((cost) => cost * FACTORS[0] + usdToNano(ALLOWANCE_USD))
  return {
    prompt: setup.prompt,
    rate: setup.rate,
    cap: rule.lowersCap ? 'lowered' : 'as sent',
    passed: byFactor.map((outcomes) => share(outcomes, isWhole)),
    passedWithAllowance: share(withAllowance, isWhole),
    passedByBand: BANDS_USD.map((_, band) =>
      share(
        tight.filter((_, at) => bandOf(costs[at] as number) === band),
        isWhole,
      ),
    ),
    refused: share(tight, ({ isRefused }) => isRefused),
    cutShort: share(tight, ({ isRefused, cutShort }) => !isRefused && cutShort > 0),
    waited: sum(tight, 'waited') / sum(tight, 'sent'),
    sentAgain: sum(tight, 'sentAgain') / sum(tight, 'sent'),
    neededP50: quantile(above, 0.5),
    neededP95: quantile(above, 0.95),
    refusedByDefault: share(byDefault, ({ isRefused, concurrency }) => isRefused || concurrency > DEFAULT_CONCURRENCY),
    cutByDefault: share(byDefault, ({ isRefused, cutShort }) => !isRefused && cutShort > 0),
    budgetFor95: quantile(needed, 0.95),
  }
}

/** Nano-dollars with which a session passes, its calls one after the other: before each, what was spent and the call's hold. */
function neededFor({ calls }: Session, { rule, costOf }: TrialSetup): number {
  let settled = 0
  let needed = 0
  for (const call of calls) {
    const cap = rule.lowersCap ? Math.max(MIN_OUTPUT_TOKENS, call.output) : rule.cap
    needed = Math.max(needed, settled + rule.holdAt(call, cap))
    settled += costOf(call)
  }
  return needed
}

function bandOf(cost: number): number {
  return BANDS_USD.findLastIndex((from) => cost >= from * NANO_PER_USD)
}

function isWhole({ isRefused, cutShort }: ReplayOutcome): boolean {
  return !isRefused && cutShort === 0
}

function ceiling(nano: number): NanoUsd {
  return toNanoUsd(Math.ceil(nano))
}

function sum(outcomes: readonly ReplayOutcome[], field: 'waited' | 'sentAgain' | 'sent'): number {
  return outcomes.reduce((total, outcome) => total + outcome[field], 0)
}
