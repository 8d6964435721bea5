import {
  calcPrice,
  findProvider,
  waitForUpdate,
  type ConditionalPrice,
  type ModelPrice,
  type PriceCalculation,
} from '@pydantic/genai-prices'
import { isEmbedder } from '../../shared/is-embedder.ts'
import { usdToNano, type NanoUsd } from '../../shared/money.ts'
import type { ContextTier, Price, RateName, Rates } from '../../shared/price.ts'
import { makePrice } from './make-price.ts'
import { always, type DatedPrice, type PriceSchedule } from './price-schedule.ts'

const PACKAGE = '@pydantic/genai-prices 0.1.8'
const DAY_MS = 86_400_000

/** The book's names of each rate, dollars per million tokens. Where there are several the dearest counts. */
const BOOK_KEYS: Readonly<Record<RateName, readonly string[]>> = {
  inputPerM: ['input_mtok'],
  cachedInputPerM: ['cache_read_mtok'],
  cacheWritePerM: ['cache_write_mtok', 'cache_write_5m_mtok'],
  cacheWrite1hPerM: ['cache_write_1h_mtok'],
  audioInputPerM: ['input_audio_mtok'],
  imageInputPerM: ['input_image_mtok', 'input_video_mtok'],
  outputPerM: ['output_mtok'],
  reasoningPerM: ['output_reasoning_mtok'],
  audioOutputPerM: ['output_audio_mtok'],
  imageOutputPerM: ['output_image_mtok', 'output_video_mtok'],
}
const RATE_NAMES = Object.keys(BOOK_KEYS) as readonly RateName[]
/** Fees of every request or message, which rates of tokens cannot say: such a model has no price here. */
const OTHER_FEES = ['requests_kcount', 'input_text_messages_kcount', 'output_citation_mtok']

/**
 * Prices of a model from the pinned price book (no network, no update), over all dates that the book knows. Empty for a model that
 * it does not know. Within a day the dearest hour counts, where a provider's price changes with the time of day: so a cost is never
 * understated, and a request that runs over such a change still settles at the price of its hold.
 * @param provider The book's provider id: `openai`, `anthropic`, `google`, …
 */
export function scheduleOf(provider: string, model: string): PriceSchedule {
  const found = entry(provider, model, 0)
  if (found === undefined) return []
  const starts = constraints(found).flatMap((each) =>
    each?.type === 'start_date' ? [Date.parse(each.start_date)] : [],
  )
  const later = starts.toSorted((a, b) => a - b)
  // Fees beside tokens and models that are sold by the hour are known to the book, and still have no price per token.
  return [
    ...always(priceOn(provider, model, 0)),
    ...later.map((fromMs): DatedPrice => ({ fromMs, price: priceOn(provider, model, fromMs) })),
  ]
}

/** Provider id of the book for an API's base URL; undefined for an address that the book does not know. */
export function providerAt(url: string): string | undefined {
  return findProvider({ providerApiUrl: url })?.id
}

/** Provider that the book takes a bare model name for; undefined where it says nothing. */
export function providerOf(model: string): string | undefined {
  return findProvider({ modelId: model })?.id
}

/** Every model in the book, as `provider/model`. */
export async function namesInBook(): Promise<readonly string[]> {
  const providers = (await waitForUpdate()) ?? []
  return providers.flatMap(({ id, models }) => models.map((model) => `${id}/${model.id}`))
}

/** The price on the UTC day that begins at `midnight`. */
function priceOn(provider: string, model: string, midnight: number): Price | undefined {
  const found = entry(provider, model, midnight)
  if (found === undefined || OTHER_FEES.some((key) => found.model_price[key] !== undefined)) return undefined
  const prices = timesOfDay(found).map((time) => entry(provider, model, midnight + time)?.model_price ?? {})
  // Models that generate nothing have no rate of output in the book, because there is none.
  const withoutOutput = isEmbedder(found.model.id) ? usdToNano(0) : undefined
  const base = ratesAbove(prices, 0, withoutOutput)
  if (base === undefined) return undefined
  const tiers = tierStarts(prices).flatMap((start): ContextTier[] => {
    const rates = ratesAbove(prices, start + 1, withoutOutput)
    return rates === undefined ? [] : [{ aboveInputTokens: start, ...rates }]
  })
  return makePrice(
    { ...base, ...(tiers.length === 0 ? {} : { tiers }) },
    `${PACKAGE}: ${found.provider.id}/${found.model.id}`,
  )
}

function entry(provider: string, model: string, ms: number): PriceCalculation | undefined {
  // The amounts asked for do not matter: only the price entry that the book matches is read.
  const options = { providerId: provider, timestamp: new Date(ms) }
  return calcPrice({ input_tokens: 1, output_tokens: 1 }, model, options) ?? undefined
}

function constraints({ model }: PriceCalculation): readonly ConditionalPrice['constraint'][] {
  return Array.isArray(model.prices) ? model.prices.map((each) => each.constraint) : []
}

/** Milliseconds after midnight (UTC) at which another price may begin; between two of them it does not change. */
function timesOfDay(found: PriceCalculation): readonly number[] {
  const edges = constraints(found).flatMap((each) =>
    each?.type === 'time_of_date'
      ? [each.start_time, each.end_time].map((time) => Date.parse(`1970-01-02T${time}`) % DAY_MS)
      : [],
  )
  return [...new Set([0, ...edges])]
}

/** The dearest of each rate for a prompt of so many tokens; undefined without a rate for input and output, which some models do not have. */
function ratesAbove(
  prices: readonly ModelPrice[],
  inputTokens: number,
  withoutOutput: NanoUsd | undefined,
): Rates | undefined {
  const rates: Partial<Record<RateName, NanoUsd>> = {}
  for (const name of RATE_NAMES) {
    const values = prices.flatMap((price) => BOOK_KEYS[name].map((key) => valueAt(price[key], inputTokens)))
    const usd = Math.max(...values.filter((value) => value !== undefined))
    if (Number.isFinite(usd)) rates[name] = usdToNano(usd)
  }
  const { inputPerM, outputPerM = withoutOutput } = rates
  return inputPerM === undefined || outputPerM === undefined ? undefined : { ...rates, inputPerM, outputPerM }
}

/** A price is a number of dollars, or a base with tiers, each for prompts of more tokens than its start. */
function valueAt(value: ModelPrice[string], inputTokens: number): number | undefined {
  if (typeof value !== 'object') return value
  return (
    value.tiers.toSorted((a, b) => a.start - b.start).findLast(({ start }) => inputTokens > start)?.price ?? value.base
  )
}

function tierStarts(prices: readonly ModelPrice[]): readonly number[] {
  const values = prices.flatMap((price) => RATE_NAMES.flatMap((name) => BOOK_KEYS[name].map((key) => price[key])))
  const starts = values.flatMap((value) => (typeof value === 'object' ? value.tiers.map(({ start }) => start) : []))
  return [...new Set(starts)].toSorted((a, b) => a - b)
}
