import type { Price } from '../gateway/steps.ts'
import type { Usage } from '../protocol/answer.ts'
import { toNanoUsd, type NanoUsd } from '../shared/money.ts'

const TOKENS_PER_PRICE = 1_000_000

/**
 * Price of `usage` in nano-dollars, rounded up once for the whole attempt. Exact: the part of a price below one nano-dollar per
 * token is summed in millionths before it is rounded. Throws RangeError on overflow (never a rounding).
 */
export function charge(usage: Usage, price: Price): NanoUsd {
  const cached = Math.min(usage.cachedInput, usage.input)
  const written = Math.min(usage.cacheWrite, usage.input - cached)
  const parts: readonly (readonly [tokens: number, perM: number])[] = [
    [usage.input - cached - written, price.inputPerM],
    [cached, price.cachedInputPerM ?? price.inputPerM],
    [written, price.cacheWritePerM ?? price.inputPerM],
    [usage.output, price.outputPerM],
  ]
  let whole = 0
  let millionths = 0
  for (const [tokens, perM] of parts) {
    const rest = perM % TOKENS_PER_PRICE
    whole = toNanoUsd(whole + toNanoUsd(tokens * ((perM - rest) / TOKENS_PER_PRICE)))
    millionths = toNanoUsd(millionths + toNanoUsd(tokens * rest))
  }
  return toNanoUsd(whole + Math.ceil(millionths / TOKENS_PER_PRICE))
}
