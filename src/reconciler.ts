import type { BookedAttempt } from './budget/books.ts'
import type { JournaledLedger } from './budget/journaled-ledger.ts'
import type { Reconciler, UnresolvedAttempt } from './control/ledger-operations.ts'
import { SwitchyardError } from './shared/errors.ts'
import { toNanoUsd } from './shared/money.ts'

/** Lists and settles what is unresolved; what was said about it is kept beside it. */
export function reconcilerOf(ledger: JournaledLedger, wallNow: () => number): Reconciler {
  return {
    unresolved: () =>
      [...ledger.books.open()].filter((attempt) => attempt.state === 'unresolved').map((attempt) => viewOf(attempt)),
    async reconcile(id, cost, evidence) {
      const attempt = ledger.books.find(id)
      if (attempt === undefined)
        throw new SwitchyardError('not_found', 'There is no unresolved attempt of this id.', { param: 'attempt' })
      if (attempt.state !== 'unresolved')
        throw new SwitchyardError(
          'task_conflict',
          `This attempt is ${attempt.state}; only unresolved ones can be reconciled.`,
          { param: 'attempt' },
        )
      const view = viewOf(attempt)
      // Money as it was; tokens and calls stay as they were held, since only the bill is known.
      const amounts = attempt.lines.map(({ book, amount }) => (book.includes(':usd:') ? cost : amount))
      ledger.settle(id, amounts)
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

function viewOf({ id, note, lines }: BookedAttempt): UnresolvedAttempt {
  const { tenant, key, task, model, upstream, atMs } = note
  return { id, tenant, key, task, model, upstream, atMs, held: toNanoUsd(lines[0]?.amount ?? 0) }
}
