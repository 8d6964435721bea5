/** What an operator can do with the ledger; the same code behind the control socket, HTTP and a command that runs alone. */
import { z } from 'zod'
import { SwitchyardError } from '../shared/errors.ts'
import { formatUsd, toNanoUsd, type NanoUsd } from '../shared/money.ts'
import { operation, type HttpRoute, type Operation } from './operations.ts'

export type LedgerOperationName = 'ledger.attempts' | 'ledger.settle' | 'ledger.forget'

/** Where ledger operations are found over HTTP. */
export const LEDGER_ROUTES: Readonly<Record<LedgerOperationName, HttpRoute>> = {
  'ledger.attempts': { method: 'GET', path: '/ledger/attempts' },
  'ledger.settle': { method: 'POST', path: '/ledger/settle' },
  'ledger.forget': { method: 'POST', path: '/ledger/forget' },
}

/** Settlements in one call. */
export const MOST_SETTLEMENTS = 500
/** Settled attempts that are shown beside the unresolved ones, the latest. */
const MOST_SHOWN = 100

interface OpenAttempt {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly task: string | undefined
  readonly model: string
  readonly upstream: string
  readonly atMs: number
  readonly hold: NanoUsd
}
interface Evidence extends OpenAttempt {
  readonly cost: NanoUsd
  readonly evidence: string
  readonly by: string
  readonly settledMs: number
}
type Settled =
  | { readonly id: string; readonly outcome: 'settled' | 'same'; readonly hold: NanoUsd; readonly cost: NanoUsd }
  | { readonly id: string; readonly outcome: 'refused'; readonly reason: string }

/** What went when a subject was forgotten. */
export interface ForgetResult {
  readonly attempts: number
  readonly tasks: number
  /** Daily totals that stand under no name now. */
  readonly totals: number
  /** Made keys. */
  readonly keys: number
  /** Names of keys of the configuration file that still name the tenant. */
  readonly keysInFile: readonly string[]
  /** Lines of the event log. */
  readonly events: number
  /** Stored responses. */
  readonly responses: number
}

/** The ledger, as far as operations need it. */
export interface LedgerService {
  readonly reconciler: {
    unresolved(): readonly OpenAttempt[] | Promise<readonly OpenAttempt[]>
    evidence(): readonly Evidence[] | Promise<readonly Evidence[]>
    settle(
      settlements: readonly {
        readonly id: string
        readonly cost: NanoUsd
        readonly evidence: string
        readonly tokens: { readonly input: number; readonly output: number } | undefined
      }[],
      by: string,
      isTrial: boolean,
    ): Promise<readonly Settled[]>
  }
  forget(tenant: string, user: string | undefined): Promise<ForgetResult>
}

/** An attempt as lists show it. Dollars as decimal text, with the integer beside; times in ISO 8601. */
export interface ShownAttempt {
  readonly id: string
  readonly state: 'unresolved' | 'settled'
  readonly since: string
  readonly tenant: string
  readonly key: string
  readonly task: string | null
  readonly model: string
  readonly upstream: string
  readonly hold_usd: string
  readonly hold_nano_usd: number
  readonly cost_usd: string | null
  readonly cost_nano_usd: number | null
  readonly evidence: string | null
  readonly settled_by: string | null
  readonly settled_at: string | null
}

/** What became of one settlement. `would_settle` = nothing was changed. */
export interface ShownSettlement {
  readonly id: string
  readonly outcome: 'settled' | 'would_settle' | 'same' | 'refused'
  readonly reason: string | null
  readonly hold_nano_usd: number | null
  readonly cost_nano_usd: number | null
  /** More than was held for it: the bound of the model was wrong. */
  readonly exceeds_hold: boolean
}

const amount = z
  .number()
  .refine((value) => Number.isSafeInteger(value) && value >= 0, 'it must be a whole number of at least 0')
const text = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^\p{Cc}]+$/u, 'it may not hold control characters')
const settleInput = z.strictObject({
  settlements: z
    .array(
      z.strictObject({
        id: z.string().min(1).max(256),
        nano_usd: amount.transform(toNanoUsd),
        evidence: text,
        input_tokens: amount.optional(),
        output_tokens: amount.optional(),
      }),
    )
    .min(1)
    .max(MOST_SETTLEMENTS),
  by: text.max(128).default('admin'),
  dry_run: z.boolean().default(false),
})
const forgetInput = z.strictObject({ tenant: text.max(128), user: text.max(128).optional() })

/** `ledger.attempts`, `ledger.settle` and `ledger.forget`. */
export function ledgerOperations(service: LedgerService): readonly Operation[] {
  return [
    operation('ledger.attempts', LEDGER_ROUTES['ledger.attempts'], z.strictObject({}), async () => ({
      attempts: [
        ...(await service.reconciler.unresolved()).map((attempt) => show(attempt, undefined)),
        ...(await service.reconciler.evidence()).slice(0, MOST_SHOWN).map((attempt) => show(attempt, attempt)),
      ],
    })),
    operation('ledger.settle', LEDGER_ROUTES['ledger.settle'], settleInput, async ({ settlements, by, dry_run }) => {
      const given = settlements.map(({ id, nano_usd, evidence, input_tokens: input, output_tokens: output }) => ({
        id,
        cost: nano_usd,
        evidence,
        tokens: input === undefined && output === undefined ? undefined : { input: input ?? 0, output: output ?? 0 },
      }))
      let settled: readonly Settled[]
      try {
        settled = await service.reconciler.settle(given, by, dry_run)
      } catch (error) {
        const sentence =
          'The ledger cannot be written at the moment. It is tried again, and "reconcile" shows what came of it.'
        throw new SwitchyardError('ledger_unavailable', sentence, { cause: error, detail: String(error) })
      }
      return { settlements: settled.map((each) => showSettlement(each, dry_run)) }
    }),
    operation('ledger.forget', LEDGER_ROUTES['ledger.forget'], forgetInput, ({ tenant, user }) =>
      service.forget(tenant, user),
    ),
  ]
}

function show(attempt: OpenAttempt, settled: Evidence | undefined): ShownAttempt {
  const { id, tenant, key, task, model, upstream, atMs, hold } = attempt
  return {
    id,
    state: settled === undefined ? 'unresolved' : 'settled',
    since: new Date(atMs).toISOString(),
    tenant,
    key,
    task: task ?? null,
    model,
    upstream,
    hold_usd: formatUsd(hold),
    hold_nano_usd: hold,
    cost_usd: settled === undefined ? null : formatUsd(settled.cost),
    cost_nano_usd: settled?.cost ?? null,
    evidence: settled?.evidence ?? null,
    settled_by: settled?.by ?? null,
    settled_at: settled === undefined ? null : new Date(settled.settledMs).toISOString(),
  }
}

function showSettlement(settled: Settled, isTrial: boolean): ShownSettlement {
  const { id, outcome } = settled
  if (outcome === 'refused') {
    return { id, outcome, reason: settled.reason, hold_nano_usd: null, cost_nano_usd: null, exceeds_hold: false }
  }
  return {
    id,
    outcome: isTrial && outcome === 'settled' ? 'would_settle' : outcome,
    reason: null,
    hold_nano_usd: settled.hold,
    cost_nano_usd: settled.cost,
    exceeds_hold: settled.cost > settled.hold,
  }
}
