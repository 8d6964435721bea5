import type { JournaledLedger } from './budget/journaled-ledger.ts'
import type { AttemptView } from './budget/ledger.ts'
import type { RedisLedger } from './budget/redis-ledger.ts'
import type { RedisPast } from './budget/redis-past.ts'
import type { Reconciler, UnresolvedAttempt } from './control/ledger-operations.ts'
import { SwitchyardError } from './shared/errors.ts'
import { toNanoUsd, type NanoUsd } from './shared/money.ts'

/** Lists and settles what is unresolved; what was said about it is kept beside it. */
export function reconcilerOf(ledger: JournaledLedger, wallNow: () => number): Reconciler {
  return {
    unresolved: () =>
      [...ledger.books.open()].filter((attempt) => attempt.state === 'unresolved').map((attempt) => viewOf(attempt)),
    async reconcile(id, cost, evidence) {
      const attempt = ledger.books.find(id)
      if (attempt === undefined) throw notFound()
      if (attempt.state !== 'unresolved')
        throw new SwitchyardError(
          'task_conflict',
          `This attempt is ${attempt.state}; only unresolved ones can be reconciled.`,
          { param: 'attempt' },
        )
      const view = viewOf(attempt)
      ledger.settle(id, billed(attempt, cost))
      ledger.write(
        'reconciled',
        id,
        JSON.stringify({ at: new Date(wallNow()).toISOString(), cost, held: view.held, evidence }),
      )
      await ledger.written()
      return view
    },
  }
}

/** The same over the books that several gateways share. */
export function sharedReconcilerOf(ledger: RedisLedger, past: RedisPast, wallNow: () => number): Reconciler {
  const unresolved = async (): Promise<readonly Open[]> =>
    (await past.open()).filter(({ state }) => state === 'unresolved')
  return {
    unresolved: async () => (await unresolved()).map((attempt) => viewOf(attempt)),
    async reconcile(id, cost, evidence) {
      const attempt = (await unresolved()).find((each) => each.id === id)
      if (attempt === undefined) throw notFound()
      const view = viewOf(attempt)
      const { kind } = await ledger.settle(id, billed(attempt, cost))
      if (kind !== 'done')
        throw new SwitchyardError('task_conflict', `This attempt has been settled meanwhile (${kind}).`, {
          param: 'attempt',
        })
      const text = JSON.stringify({ at: new Date(wallNow()).toISOString(), cost, held: view.held, evidence })
      await ledger.write(attempt.note.tenant, { kind: 'reconciled', id, version: 0, text })
      return view
    },
  }
}

function notFound(): SwitchyardError {
  return new SwitchyardError('not_found', 'There is no unresolved attempt of this id.', { param: 'attempt' })
}

/** Money as it was; tokens and calls stay as they were held, since only the bill is known. */
function billed({ lines }: Open, cost: NanoUsd): readonly number[] {
  return lines.map(({ book, amount }) => (book.includes(':usd:') ? cost : amount))
}

type Open = Pick<AttemptView, 'id' | 'note' | 'lines'>

function viewOf({ id, note, lines }: Open): UnresolvedAttempt {
  const { tenant, key, task, model, upstream, atMs } = note
  return { id, tenant, key, task, model, upstream, atMs, held: toNanoUsd(lines[0]?.amount ?? 0) }
}
