import { calcPrice, findProvider, type PriceCalculation } from '@pydantic/genai-prices'
import type { Price } from '../gateway/steps.ts'
import { usdToNano, type NanoUsd } from '../shared/money.ts'

const SOURCE = '@pydantic/genai-prices 0.1.8'
const HOUR_MS = 3_600_000
const HOURS_PER_DAY = 24
/** Fees per request, message or kind of output, which a price per input and output token cannot say. */
const OTHER_FEES = ['requests_kcount', 'input_text_messages_kcount', 'output_reasoning_mtok', 'output_citation_mtok']

/**
 * Prices of a model from the pinned price book (no network, no update), in nano-dollars per million tokens. Context tiers count
 * with their base price; where a provider's price changes with the time of day the dearest hour counts, so that a cost is never
 * understated. Undefined for a model that the book does not know, or that has fees besides its tokens.
 * @param provider The book's provider id: `openai`, `anthropic`, `google`, …
 * @param at The day whose prices count.
 */
export function lookUpPrice(provider: string, model: string, at: Date): Price | undefined {
  const found = entry(provider, model, at)
  if (found === undefined) return undefined
  const hours = dependsOnTime(found) ? everyHour(provider, model, at) : [found]
  const dearest = (key: string): NanoUsd | undefined => {
    const prices = hours.map((each) => perMillion(each.model_price[key])).filter((price) => price !== undefined)
    return prices.length === 0 ? undefined : prices.reduce((a, b) => (a > b ? a : b))
  }
  const inputPerM = dearest('input_mtok')
  const outputPerM = dearest('output_mtok')
  const hasOtherFees = OTHER_FEES.some((key) => found.model_price[key] !== undefined)
  if (inputPerM === undefined || outputPerM === undefined || hasOtherFees) return undefined
  const cachedInputPerM = dearest('cache_read_mtok')
  const cacheWritePerM = dearest('cache_write_mtok')
  return {
    inputPerM,
    outputPerM,
    ...(cachedInputPerM === undefined ? {} : { cachedInputPerM }),
    ...(cacheWritePerM === undefined ? {} : { cacheWritePerM }),
    source: `${SOURCE}: ${found.provider.id}/${found.model.id}`,
  }
}

/** Provider id of the book for an API's base URL; undefined for an address that the book does not know. */
export function providerAt(url: string): string | undefined {
  return findProvider({ providerApiUrl: url })?.id
}

function entry(provider: string, model: string, at: Date): PriceCalculation | undefined {
  // The amounts asked for do not matter: only the price entry that the book matches is read.
  return calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: provider, timestamp: at }) ?? undefined
}

function dependsOnTime({ model }: PriceCalculation): boolean {
  return Array.isArray(model.prices) && model.prices.some((each) => each.constraint?.type === 'time_of_date')
}

function everyHour(provider: string, model: string, at: Date): readonly PriceCalculation[] {
  const midnight = Math.floor(at.getTime() / (HOUR_MS * HOURS_PER_DAY)) * HOUR_MS * HOURS_PER_DAY
  return Array.from({ length: HOURS_PER_DAY }, (_, hour) =>
    entry(provider, model, new Date(midnight + hour * HOUR_MS)),
  ).filter((each) => each !== undefined)
}

/** A price is a number of dollars, or tiers with a base. */
function perMillion(value: unknown): NanoUsd | undefined {
  const usd = typeof value === 'object' && value !== null && 'base' in value ? value.base : value
  return typeof usd === 'number' ? usdToNano(usd) : undefined
}
