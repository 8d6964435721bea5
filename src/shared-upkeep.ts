/** Part of the composition root: what an operator does with books that several gateways share. */
import { amountsOf, shownAttempt, type Evidence, type Settled, type Settlement } from './budget/reconcile.ts'
import { EVIDENCE } from './budget/fold.ts'
import type { RedisLedger } from './budget/redis-ledger.ts'
import type { OpenAttempt, RedisPast } from './budget/redis-past.ts'
import type { ForgetResult, LedgerService } from './control/ledger-operations.ts'
import { SwitchyardError } from './shared/errors.ts'

/** Pieces of evidence that are looked at, the number kept for each tenant. */
const MOST_EVIDENCE = 1000

/** Reconciling over Redis: any gateway settles what any of them left unresolved. */
export class SharedUpkeep implements LedgerService {
  readonly reconciler: LedgerService['reconciler']

  constructor(ledger: RedisLedger, past: RedisPast, wallNow: () => number) {
    const unresolved = async (): Promise<readonly OpenAttempt[]> =>
      (await past.open()).filter(({ state }) => state === 'unresolved')
    const evidence = async (): Promise<readonly Evidence[]> =>
      (await past.documentsOfAll(EVIDENCE, MOST_EVIDENCE))
        .map((text) => JSON.parse(text) as Evidence)
        .sort((a, b) => b.settledMs - a.settledMs)
    this.reconciler = {
      unresolved: async () => (await unresolved()).map((attempt) => shownAttempt(attempt)),
      evidence,
      async settle(settlements, by, isTrial) {
        const open = new Map((await unresolved()).map((attempt) => [attempt.id, attempt]))
        const kept = new Map((await evidence()).map((each) => [each.id, each]))
        const results: Settled[] = []
        for (const each of settlements) {
          const judged = judge(each, open.get(each.id), kept.get(each.id))
          if (isTrial || !('attempt' in judged)) {
            results.push('attempt' in judged ? settledAs(each, judged.attempt) : judged)
            continue
          }
          const { attempt } = judged
          const { kind } = await ledger.settle(each.id, amountsOf(attempt.lines, each), each.tokens)
          if (kind !== 'done') {
            results.push({ id: each.id, outcome: 'refused', reason: `it has been settled meanwhile (${kind})` })
            continue
          }
          const { cost, evidence: why } = each
          const text: Evidence = { ...shownAttempt(attempt), cost, evidence: why, by, settledMs: wallNow() }
          const document = { kind: EVIDENCE, id: each.id, version: 0, text: JSON.stringify(text) }
          await ledger.write(attempt.note.tenant, document)
          open.delete(each.id)
          results.push(settledAs(each, attempt))
        }
        return results
      },
    }
  }

  /** Throws: names are taken out of the books of one gateway alone so far. */
  forget(): Promise<ForgetResult> {
    const sentence = 'Names can be taken out of books in `dataDir`; of books in Redis that is not supported yet.'
    return Promise.reject(new SwitchyardError('unsupported_value', sentence))
  }
}

function judge(
  { id, cost }: Settlement,
  attempt: OpenAttempt | undefined,
  before: Evidence | undefined,
): Settled | { readonly attempt: OpenAttempt } {
  if (before !== undefined) {
    return before.cost === cost
      ? { id, outcome: 'same', hold: before.hold, cost }
      : { id, outcome: 'refused', reason: 'it was settled with other evidence before, which stays' }
  }
  return attempt === undefined ? { id, outcome: 'refused', reason: 'no unresolved attempt has this id' } : { attempt }
}

function settledAs({ id, cost }: Settlement, attempt: OpenAttempt): Settled {
  return { id, outcome: 'settled', hold: shownAttempt(attempt).hold, cost }
}
