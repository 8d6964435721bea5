import { providerAt, scheduleOf } from '../budget/prices/price-book.ts'
import type { PriceSchedule } from '../budget/prices/price-schedule.ts'
import type { UpstreamConfig } from './config.ts'
import { filePrice } from './file-price.ts'
import type { ModelFile } from './schema.ts'

/**
 * What each model costs, by date: as the file says, or as the price book says for the provider at its upstream's address. Empty for
 * a model that neither knows.
 */
export function priceSchedules(
  models: Readonly<Record<string, ModelFile>>,
  upstreams: readonly UpstreamConfig[],
): ReadonlyMap<string, PriceSchedule> {
  const entries = Object.entries(models).map(([name, model]): readonly [string, PriceSchedule] => {
    if (model.price !== undefined) return [name, filePrice(model.price)]
    const upstream = upstreams.find((each) => each.name === model.upstream)
    const provider = providerAt(upstream?.replicas[0] ?? '')
    return [name, provider === undefined ? [] : scheduleOf(provider, model.model)]
  })
  return new Map(entries)
}
