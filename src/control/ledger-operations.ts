/** What an operator can do about attempts whose cost nobody knows. */
import { z } from 'zod'
import { formatUsd, usdToNano, type NanoUsd } from '../shared/money.ts'
import { operation, type Operation } from './operations.ts'

export interface UnresolvedAttempt {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly task: string | undefined
  readonly model: string
  readonly upstream: string
  /** Unix milliseconds. */
  readonly atMs: number
  /** Counted as spent until it is known. */
  readonly held: NanoUsd
}

export interface Reconciler {
  unresolved(): readonly UnresolvedAttempt[] | Promise<readonly UnresolvedAttempt[]>
  /** Books what the attempt really cost and keeps the evidence. Throws SwitchyardError: `not_found`, `task_conflict`. */
  reconcile(id: string, cost: NanoUsd, evidence: string): Promise<UnresolvedAttempt>
}

/** An unresolved attempt as it is shown. */
export interface ShownAttempt {
  readonly attempt: string
  readonly tenant: string
  readonly key: string
  readonly task: string | null
  readonly model: string
  readonly upstream: string
  readonly at: string
  readonly held_usd: string
  readonly held_nano_usd: number
}

const reconcileInput = z.strictObject({
  attempt: z.string().min(1).max(300),
  cost_usd: z
    .string()
    .regex(/^\d{1,7}(?:\.\d{1,9})?$/, 'it must be dollars as a decimal, as in 0.0123')
    .transform((text) => usdToNano(Number(text))),
  evidence: z.string().min(1).max(1000),
})

export function ledgerOperations(reconciler: Reconciler): readonly Operation[] {
  return [
    operation('ledger.unresolved', { method: 'GET', path: '/ledger/unresolved' }, z.strictObject({}), async () => ({
      attempts: (await reconciler.unresolved()).map(show),
    })),
    operation('ledger.reconcile', { method: 'POST', path: '/ledger/reconcile' }, reconcileInput, async (input) =>
      show(await reconciler.reconcile(input.attempt, input.cost_usd, input.evidence)),
    ),
  ]
}

function show({ id, tenant, key, task, model, upstream, atMs, held }: UnresolvedAttempt): ShownAttempt {
  return {
    attempt: id,
    tenant,
    key,
    task: task ?? null,
    model,
    upstream,
    at: new Date(atMs).toISOString(),
    held_usd: formatUsd(held),
    held_nano_usd: held,
  }
}
