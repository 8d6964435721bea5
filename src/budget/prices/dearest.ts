/** Upper bounds of what a request can cost, for holds: the tokens that it will have are not known, nor their kinds. */
import type { NanoUsd } from '../../shared/money.ts'
import { INPUT_RATES, OUTPUT_RATES, type Price, type RateName, type Rates } from '../../shared/price.ts'
import type { CacheLife } from './cache-life.ts'
import { TokenCost } from './token-cost.ts'

/** Rates that a prompt token can pay, by the longest cache that the request can write. */
const INPUT_RATES_OF: Readonly<Record<CacheLife, readonly [RateName, ...RateName[]]>> = {
  any: INPUT_RATES,
  '5m': ['inputPerM', 'cachedInputPerM', 'cacheWritePerM', 'audioInputPerM', 'imageInputPerM'],
  none: ['inputPerM', 'cachedInputPerM', 'audioInputPerM', 'imageInputPerM'],
}

/**
 * The dearest rate that a prompt token can pay, nano-dollars per million: over all kinds (cached, written to a cache, audio,
 * images), all service tiers, and the context tiers that a prompt of at most `inputTokensMost` tokens can reach. Writing to a cache
 * counts as far as `life` says.
 */
export function dearestInputPerM(price: Price, inputTokensMost: number = Infinity, life: CacheLife = 'any'): NanoUsd {
  return dearest(price, INPUT_RATES_OF[life], inputTokensMost)
}

/** The same for a generated token. The length of the prompt decides here, too: context tiers hold for the whole request. */
export function dearestOutputPerM(price: Price, inputTokensMost: number = Infinity): NanoUsd {
  return dearest(price, OUTPUT_RATES, inputTokensMost)
}

/**
 * The most that a request can be charged with up to so many tokens in and out, rounded up; no usage within them costs more.
 * Throws RangeError on overflow.
 */
export function mostItCanCost(inputTokens: number, outputTokens: number, price: Price): NanoUsd {
  const cost = new TokenCost()
  cost.add(inputTokens, dearestInputPerM(price, inputTokens))
  cost.add(outputTokens, dearestOutputPerM(price, inputTokens))
  return cost.roundedUp()
}

function dearest(price: Price, names: readonly [RateName, ...RateName[]], inputTokensMost: number): NanoUsd {
  const tables = price.serviceTiers === undefined ? [price] : [price, ...Object.values(price.serviceTiers)]
  let most = 0 as NanoUsd
  const take = (rates: Rates): void => {
    for (const name of names) {
      const rate = rates[name]
      if (rate !== undefined && rate > most) most = rate
    }
  }
  for (const table of tables) {
    take(table)
    for (const tier of table.tiers ?? []) if (inputTokensMost > tier.aboveInputTokens) take(tier)
  }
  return most
}
