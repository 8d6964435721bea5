import type { Balance } from '../ledger/ledger.ts'

/** How long a balance that was read counts as the present one, ms. It sizes a request; the reservation itself decides anew. */
const FRESH_MS = 100
/** Books that are remembered. */
const MOST = 20_000
const EMPTY: Balance = { settled: 0, held: 0, unresolved: 0 }

interface Known {
  readonly balance: Balance
  readonly atMs: number
  readonly tenant: string
}

/** What this process saw last in books that are kept elsewhere. */
export class KnownBalances {
  readonly #now: () => number
  readonly #known = new Map<string, Known>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** `figures` = settled, held and unresolved of each book. */
  learn(books: readonly string[], figures: readonly number[], tenant: string): void {
    const atMs = this.#now()
    for (const [index, book] of books.entries()) {
      const [settled = 0, held = 0, unresolved = 0] = figures.slice(3 * index, 3 * index + 3)
      // Anew at the end, so that what is used stays longest.
      this.#known.delete(book)
      this.#known.set(book, { balance: { settled, held, unresolved }, atMs, tenant })
    }
    while (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value as string)
  }

  /** Something has changed in these books: the next look at them asks. */
  forget(books: readonly string[]): void {
    for (const book of books) {
      const known = this.#known.get(book)
      if (known !== undefined) this.#known.set(book, { ...known, atMs: -Infinity })
    }
  }

  fresh(book: string): Balance | undefined {
    const known = this.#known.get(book)
    return known === undefined || this.#now() - known.atMs > FRESH_MS ? undefined : known.balance
  }

  last(book: string): Balance {
    return this.#known.get(book)?.balance ?? EMPTY
  }

  tenantOf(book: string): string | undefined {
    return this.#known.get(book)?.tenant
  }
}
