import { makePrice } from '../budget/make-price.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'
import { INPUT_RATES, OUTPUT_RATES, type Price, type RateName, type Rates, type RateTable } from '../shared/price.ts'
import type { PriceFile, RatesFile, RateTableFile } from './price-schema.ts'

/** A price from the file, whose checks it has passed; dollars are rounded up to whole nano-dollars per million tokens. */
export function filePrice({ serviceTiers, ...base }: PriceFile): Price {
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
