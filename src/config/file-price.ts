import { makePrice } from '../budget/prices/make-price.ts'
import { always, type PriceSchedule } from '../budget/prices/price-schedule.ts'
import { midnightOf } from '../shared/day.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'
import { INPUT_RATES, OUTPUT_RATES, type Price, type RateName, type Rates, type RateTable } from '../shared/price.ts'
import type { PriceFile, RatesFile, RateTableFile, WholePriceFile } from './price-schema.ts'

/**
 * Prices from the file, whose checks they have passed: the first without a beginning, the others from midnight UTC of their days.
 * Dollars are rounded up to whole nano-dollars per million tokens.
 */
export function filePrice({ changes = [], ...first }: PriceFile): PriceSchedule {
  return [
    ...always(whole(first)),
    ...changes.map(({ from, ...later }) => ({ fromMs: midnightOf(from) ?? Infinity, price: whole(later) })),
  ]
}

function whole({ serviceTiers, ...base }: WholePriceFile): Price {
  if (serviceTiers === undefined) return makePrice(table(base), 'file')
  const named = Object.entries(serviceTiers).map(([name, each]) => [name, table(each)] as const)
  return makePrice({ ...table(base), serviceTiers: Object.fromEntries(named) }, 'file')
}

function table({ tiers, ...base }: RateTableFile): RateTable {
  if (tiers === undefined) return rates(base)
  return {
    ...rates(base),
    tiers: tiers.map(({ aboveInputTokens, ...tier }) => ({ aboveInputTokens, ...rates(tier) })),
  }
}

function rates(file: RatesFile): Rates {
  const known: Partial<Record<RateName, NanoUsd>> = {}
  for (const name of [...INPUT_RATES, ...OUTPUT_RATES]) {
    const dollars = file[name]
    if (dollars !== undefined) known[name] = usdToNano(dollars)
  }
  return { ...known, inputPerM: usdToNano(file.inputPerM), outputPerM: usdToNano(file.outputPerM) }
}
