import { toNanoUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'

const TOKENS_PER_PRICE = 1_000_000

/**
 * Adds up tokens times rates without rounding: what a rate has below one nano-dollar per token is counted in millionths, and only
 * the sum is rounded up. Safe integers throughout, so that it needs no BigInt. Throws RangeError on overflow.
 */
export class TokenCost {
  #nano: NanoUsd = ZERO_USD
  #millionths: NanoUsd = ZERO_USD

  /** @param perM Nano-dollars per million tokens. */
  add(tokens: number, perM: NanoUsd): void {
    if (tokens === 0) return
    // A product beyond the safe integers leaves no sum within them, so that checking the sums is enough.
    const rest = perM % TOKENS_PER_PRICE
    this.#nano = toNanoUsd(this.#nano + tokens * ((perM - rest) / TOKENS_PER_PRICE))
    if (rest !== 0) this.#millionths = toNanoUsd(this.#millionths + tokens * rest)
  }

  roundedUp(): NanoUsd {
    // Exact: below 2^53 two quotients of a million are further apart than doubles are there.
    return toNanoUsd(this.#nano + Math.ceil(this.#millionths / TOKENS_PER_PRICE))
  }
}
