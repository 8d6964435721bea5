import { IdTable } from '../../shared/id-table.ts'
import type { Line } from './ledger.ts'

/**
 * Ended attempts that are remembered, so that a repeated step is known as one. An older one is `unknown`, which books nothing. Few, as
 * what is remembered for long moves to the old generation, and collecting that costs more than the ledger's own work.
 */
const REMEMBERED = 64

/** What a repetition is compared with. */
interface Ended {
  readonly id: string
  readonly lines: readonly Line[]
  /** Undefined = it was voided. */
  readonly settled: readonly number[] | undefined
}

/** The latest attempts that have ended. */
export class EndedAttempts {
  readonly #ended = new IdTable<Ended>()
  /** A ring of ids: finding the oldest key of a Map walks over all that were deleted before it. */
  readonly #ids: string[] = []
  #at = 0

  get(id: string): Ended | undefined {
    return this.#ended.get(id)
  }

  add(attempt: Ended): void {
    this.#ended.add(attempt)
    const oldest = this.#ids[this.#at]
    if (oldest !== undefined) this.#ended.delete(oldest)
    this.#ids[this.#at] = attempt.id
    this.#at = (this.#at + 1) % REMEMBERED
  }
}
