import type { Caller } from '../gateway/steps.ts'

/** A book with its limit. */
export interface LimitedBook {
  readonly book: string
  readonly limit: number | undefined
  /** Named in a refusal. */
  readonly param: string
}

/** The day's books of a caller: its key by day and by month, its tenant by day. */
export class SpendBooks {
  #day = ''
  #known = new WeakMap<Caller, readonly LimitedBook[]>()

  of(caller: Caller, day: string): readonly LimitedBook[] {
    if (day !== this.#day) {
      this.#day = day
      this.#known = new WeakMap()
    }
    let books = this.#known.get(caller)
    if (books === undefined) {
      const { tenant, key, spendLimits, tenantSpendLimits } = caller
      books = [
        { book: `key:usd:${day}:${key}`, limit: spendLimits.perDay, param: 'max_usd_per_day' },
        { book: `key:usd:${day.slice(0, 7)}:${key}`, limit: spendLimits.perMonth, param: 'max_usd_per_month' },
        { book: `tenant:usd:${day}:${tenant}`, limit: tenantSpendLimits.perDay, param: 'tenant_max_usd_per_day' },
      ]
      this.#known.set(caller, books)
    }
    return books
  }
}
