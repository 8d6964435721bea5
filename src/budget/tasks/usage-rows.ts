import type { UsageGroup, UsageQuery, UsageRow } from '../../gateway/tasks.ts'
import { addUsd, toNanoUsd, ZERO_USD } from '../../shared/money.ts'
import type { AttemptView } from '../ledger/ledger.ts'
import type { LedgerPast } from '../upkeep/ledger-past.ts'

const FIRST_DAY = '0000-00-00'
const LAST_DAY = '9999-99-99'

type Awaitable<T> = T | Promise<T>

export interface UsageSources {
  /** Attempts without an end. */
  readonly open: () => Awaitable<Iterable<Pick<AttemptView, 'note' | 'lines' | 'state'>>>
  readonly history: Pick<LedgerPast, 'daily'>
}

/** What was used in a span of days, in groups: what has ended from the daily totals, and beside it what is still open. */
export async function usageRows(query: UsageQuery, { open, history }: UsageSources): Promise<readonly UsageRow[]> {
  const totals = new UsageTotals(query.by)
  const from = query.from ?? FIRST_DAY
  const to = query.to ?? LAST_DAY
  for (const { day, tenant, key, type, model, calls, input, output, cost } of await history.daily(from, to)) {
    const row = totals.of({ task_type: type, model, key, tenant, day })
    row.calls += calls
    row.input += input
    row.output += output
    row.settled = addUsd(row.settled, toNanoUsd(cost))
  }
  for (const { note, lines, state } of await open()) {
    if (note.day < from || note.day > to) continue
    const row = totals.of({
      task_type: note.taskType,
      model: note.model,
      key: note.key,
      tenant: note.tenant,
      day: note.day,
    })
    const amount = toNanoUsd(lines[0]?.amount ?? 0)
    if (state === 'unresolved') row.unresolved = addUsd(row.unresolved, amount)
    else row.held = addUsd(row.held, amount)
  }
  return totals.rows()
}

type MutableUsageRow = { -readonly [Name in keyof UsageRow]: UsageRow[Name] }

class UsageTotals {
  readonly #by: readonly UsageGroup[]
  readonly #rows = new Map<string, MutableUsageRow>()

  constructor(by: readonly UsageGroup[]) {
    this.#by = by
  }

  of(names: Readonly<Record<UsageGroup, string>>): MutableUsageRow {
    const key = this.#by.map((group) => names[group]).join('\n')
    let row = this.#rows.get(key)
    if (row === undefined) {
      const group = Object.fromEntries(this.#by.map((name) => [name, names[name]]))
      row = { group, calls: 0, input: 0, output: 0, settled: ZERO_USD, held: ZERO_USD, unresolved: ZERO_USD }
      this.#rows.set(key, row)
    }
    return row
  }

  rows(): readonly UsageRow[] {
    return [...this.#rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }
}
