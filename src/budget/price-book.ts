import { calcPrice } from '@pydantic/genai-prices'
import type { Price } from '../gateway/steps.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'

const SOURCE = '@pydantic/genai-prices 0.1.8'

/**
 * Plain prices of a model from the pinned price book (no network, no update), in nano-dollars per million tokens. Context tiers
 * count with their base price. Undefined for a model that the book does not know.
 * @param provider The book's provider id: `openai`, `anthropic`, `google`, …
 */
export function lookUpPrice(provider: string, model: string): Price | undefined {
  // The amounts asked for do not matter: only the price entry that the book matches is read.
  const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: provider })
  if (!found) return undefined
  const prices: Readonly<Record<string, unknown>> = { ...found.model_price }
  const inputPerM = perMillion(prices['input_mtok'])
  const outputPerM = perMillion(prices['output_mtok'])
  if (inputPerM === undefined || outputPerM === undefined) return undefined
  const cachedInputPerM = perMillion(prices['cache_read_mtok'])
  const cacheWritePerM = perMillion(prices['cache_write_mtok'])
  return {
    inputPerM,
    outputPerM,
    ...(cachedInputPerM === undefined ? {} : { cachedInputPerM }),
    ...(cacheWritePerM === undefined ? {} : { cacheWritePerM }),
    source: `${SOURCE}: ${found.provider.id}/${found.model.id}`,
  }
}

/** A price is a number of dollars, or tiers with a base. */
function perMillion(value: unknown): NanoUsd | undefined {
  const usd = typeof value === 'object' && value !== null && 'base' in value ? value.base : value
  return typeof usd === 'number' ? usdToNano(usd) : undefined
}
