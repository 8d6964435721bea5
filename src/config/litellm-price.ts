import type { RateName } from '../shared/price.ts'

/** LiteLLM's names, dollars per token, and ours. */
const RATES: Readonly<Record<string, RateName>> = {
  input_cost_per_token: 'inputPerM',
  output_cost_per_token: 'outputPerM',
  cache_read_input_token_cost: 'cachedInputPerM',
  cache_creation_input_token_cost: 'cacheWritePerM',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1hPerM',
  input_cost_per_audio_token: 'audioInputPerM',
  output_cost_per_audio_token: 'audioOutputPerM',
  output_cost_per_reasoning_token: 'reasoningPerM',
}
/** Parameters of a LiteLLM deployment that have a counterpart in `price`. */
export const LITELLM_RATES: readonly string[] = Object.keys(RATES)

/** `price` of a model in our file, dollars per million tokens; none without a price for input and output. */
export function litellmPrice(params: Readonly<Record<string, unknown>>): {
  readonly price?: Readonly<Partial<Record<RateName, number>>>
} {
  const price: Partial<Record<RateName, number>> = {}
  for (const [theirs, ours] of Object.entries(RATES)) {
    const cost = Number(params[theirs])
    if (Number.isFinite(cost)) price[ours] = Number((cost * 1e6).toPrecision(12))
  }
  return price.inputPerM === undefined || price.outputPerM === undefined ? {} : { price }
}
