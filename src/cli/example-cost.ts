import { charge } from '../budget/prices/charge.ts'
import { mostItCanCost } from '../budget/prices/dearest.ts'
import type { NanoUsd } from '../shared/money.ts'
import type { Price } from '../shared/price.ts'
import { UsageError } from './command.ts'

/** Tokens of a request to be priced. */
export interface ExampleTokens {
  readonly input: number
  /** Of `input`. */
  readonly cached: number
  readonly output: number
}

/** What such a request is charged, and the most that is held for it before its usage is known. Throws UsageError on overflow. */
export function exampleCost(
  price: Price,
  { input, cached, output }: ExampleTokens,
): { readonly charged: NanoUsd; readonly most: NanoUsd } {
  const usage = {
    input,
    cachedInput: cached,
    cacheWrite: 0,
    output,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    estimated: false,
  }
  try {
    return { charged: charge(usage, price), most: mostItCanCost(input, output, price) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError('So many tokens cost more than nine million dollars, and amounts end there. Use fewer.')
  }
}
