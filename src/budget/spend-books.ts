import type { Caller } from '../gateway/steps.ts'

/** A book with its limit. */
export interface LimitedBook {
  readonly book: string
  readonly limit: number | undefined
  /** Named in a refusal. */
  readonly param: string
}

/** The books of a caller that has no limit in any of them get their lines without a look at what is left. */
export interface CallersBooks {
  readonly books: readonly LimitedBook[]
  readonly isLimited: boolean
}

/** The day's books of a caller: its key by day and by month, its tenant by day. */
export class SpendBooks {
  #day = ''
  #known = new WeakMap<Caller, CallersBooks>()

  of(caller: Caller, day: string): CallersBooks {
    if (day !== this.#day) {
      this.#day = day
      this.#known = new WeakMap()
    }
    let known = this.#known.get(caller)
    if (known === undefined) {
      const { tenant, key, spendLimits, tenantSpendLimits } = caller
      const books = [
        { book: `key:usd:${day}:${key}`, limit: spendLimits.perDay, param: 'max_usd_per_day' },
        { book: `key:usd:${day.slice(0, 7)}:${key}`, limit: spendLimits.perMonth, param: 'max_usd_per_month' },
        { book: `tenant:usd:${day}:${tenant}`, limit: tenantSpendLimits.perDay, param: 'tenant_max_usd_per_day' },
      ]
      known = { books, isLimited: books.some(({ limit }) => limit !== undefined) }
      this.#known.set(caller, known)
    }
    return known
  }
}
