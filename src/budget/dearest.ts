/** The dearest that a token can cost at a price: what a hold is counted with, since nobody knows yet which kind the tokens are. */
import type { Price } from '../gateway/steps.ts'
import type { NanoUsd } from '../shared/money.ts'

/** Dearest of fresh, cached and cache-written input, in nano-dollars per million tokens. */
export function dearestInputPerM(price: Price): NanoUsd {
  return dearest([price.inputPerM, price.cachedInputPerM, price.cacheWritePerM])
}

/** Dearest kind of output, in nano-dollars per million tokens. */
export function dearestOutputPerM(price: Price): NanoUsd {
  return price.outputPerM
}

function dearest(prices: readonly (NanoUsd | undefined)[]): NanoUsd {
  return prices.reduce<NanoUsd>((a, b) => (b !== undefined && b > a ? b : a), 0 as NanoUsd)
}
