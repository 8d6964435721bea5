import { Gauge, type Registry } from 'prom-client'
import type { FinishedRequest } from '../gateway/steps.ts'
import { CounterFamily, type CounterSeries } from './families.ts'

/** What is in memory now. */
export interface CacheGauges {
  readonly count: number
  readonly bytes: number
}

/** Metrics of the cache. Reasons are closed sets (`cache/eligibility.ts`). */
export class CacheMetrics {
  readonly #requests: CounterFamily
  readonly #bypassed: CounterFamily
  readonly #unkept: CounterFamily
  readonly #requestSeries = new Map<string, CounterSeries>()
  readonly #bypassedSeries = new Map<string, CounterSeries>()
  #gauges: CacheGauges = { count: 0, bytes: 0 }

  constructor(registry: Registry) {
    this.#requests = new CounterFamily('switchyard_cache_requests_total', 'Cache look-ups by outcome.', registry)
    this.#bypassed = new CounterFamily(
      'switchyard_cache_bypassed_total',
      'Requests that the cache has nothing to do with, by reason.',
      registry,
    )
    this.#unkept = new CounterFamily(
      'switchyard_cache_not_kept_total',
      'Answers to requests that were looked up and that are not kept, by reason.',
      registry,
    )
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect(): void {
          this.set(value())
        },
      })
    gauge('switchyard_cache_entries', 'Answers in memory.', () => this.#gauges.count)
    gauge('switchyard_cache_bytes', 'Bytes that they take, about.', () => this.#gauges.bytes)
  }

  watch(gauges: CacheGauges): void {
    this.#gauges = gauges
  }

  looked(result: FinishedRequest['cache'], why: string | undefined): void {
    if (result === 'bypass') {
      if (why !== undefined) seriesOf(this.#bypassedSeries, why, () => this.#bypassed.labels({ reason: why })).inc()
      return
    }
    seriesOf(this.#requestSeries, result, () => this.#requests.labels({ tier: cacheTier(result), result })).inc()
  }

  notKept(reason: string): void {
    this.#unkept.labels({ reason }).inc()
  }
}

function seriesOf(map: Map<string, CounterSeries>, key: string, make: () => CounterSeries): CounterSeries {
  let series = map.get(key)
  if (series === undefined) {
    series = make()
    map.set(key, series)
  }
  return series
}

function cacheTier(result: FinishedRequest['cache']): 'exact' | 'semantic' | 'single-flight' | 'none' {
  switch (result) {
    case 'hit-exact':
      return 'exact'
    case 'hit-semantic':
      return 'semantic'
    case 'join':
      return 'single-flight'
    case 'miss':
    case 'bypass':
      return 'none'
    default:
      return result satisfies never
  }
}
