/** What a request costs at a model, by whether its prompt cache has the conversation's beginning. */
import type { Target } from '../gateway/steps.ts'
import { ratesFor } from '../shared/price.ts'
import { expectedPrice, promptTokens, type RequestSize } from './request-size.ts'

export interface WarmTarget {
  readonly target: Target
  /** Tokens of the conversation that its prompt cache holds. */
  readonly tokens: number
}

/**
 * Expected price in nano-dollars; undefined = unpriced. The model that is warm reads the prefix at its cached rate. Any other has to write it
 * into its own cache, at the higher of its input and its cache-write rate, and bears what the old model's prefix would cost to write
 * again: a conversation that leaves mostly comes back. Without a warm prefix the same as `expectedPrice`.
 */
export function priceAt(
  size: RequestSize,
  target: Target | undefined,
  warm: WarmTarget | undefined,
): number | undefined {
  const plain = expectedPrice(size, target?.price)
  if (plain === undefined || target?.price === undefined || warm === undefined) return plain
  const prompt = promptTokens(size)
  const prefix = Math.min(warm.tokens, prompt)
  if (target === warm.target) return plain - (prefix * cacheRates(target, prompt).discount) / 1_000_000
  const { discount, surcharge } = cacheRates(warm.target, prompt)
  const lost = discount + surcharge
  return plain + (prefix * (cacheRates(target, prompt).surcharge + lost)) / 1_000_000
}

/** Per million tokens: what reading from the cache saves, and what writing to it costs above plain input. Never below 0. */
function cacheRates({ price }: Target, prompt: number): { readonly discount: number; readonly surcharge: number } {
  if (price === undefined) return { discount: 0, surcharge: 0 }
  const { inputPerM, cachedInputPerM = inputPerM, cacheWritePerM = inputPerM } = ratesFor(price, prompt)
  return { discount: Math.max(0, inputPerM - cachedInputPerM), surcharge: Math.max(0, cacheWritePerM - inputPerM) }
}
