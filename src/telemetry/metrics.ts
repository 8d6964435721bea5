import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { FinishedRequest, Reporter } from '../gateway/steps.ts'
import { NANO_PER_USD } from '../shared/money.ts'

/** What a replica looks like from here, for the gauges that are read at scrape time. */
export interface ReplicaGauge {
  readonly upstream: string
  readonly replica: string
  readonly isUp: boolean
  readonly inflight: number
}

interface Series {
  readonly requests: Counter.Internal
  readonly duration: Histogram.Internal<'tier' | 'stream'>
  readonly overhead: Histogram.Internal<'stream'>
  readonly firstToken: Histogram.Internal<'tier'>
  readonly input: Counter.Internal
  readonly output: Counter.Internal
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900]
const FAST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1]

/**
 * Prometheus metrics, prefix `switchyard_`. Every label comes from a closed set (tiers, reasons, results, error codes, configured
 * names); what a caller writes never becomes a label.
 */
export class Metrics implements Reporter {
  readonly registry: Registry = new Registry()
  readonly #requests: Counter<'route' | 'result' | 'code' | 'stream'>
  readonly #duration: Histogram<'tier' | 'stream'>
  readonly #overhead: Histogram<'stream'>
  readonly #firstToken: Histogram<'tier'>
  readonly #tokens: Counter<'type' | 'tier'>
  readonly #spend: Counter<'tier' | 'target'>
  readonly #saved: Counter<'by'>
  readonly #decisions: Counter<'tier' | 'reason' | 'intent'>
  readonly #routerTime: Histogram
  readonly #cacheRequests: Counter<'tier' | 'result'>
  readonly #dropped: Counter
  readonly #known = new Map<string, Series>()

  constructor(replicas: () => readonly ReplicaGauge[]) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
      new Counter({ name: `switchyard_${name}`, help, labelNames, registers })
    const histogram = <T extends string>(
      name: string,
      help: string,
      labelNames: readonly T[],
      buckets: number[],
    ): Histogram<T> => new Histogram({ name: `switchyard_${name}`, help, labelNames, buckets, registers })
    this.#requests = counter('requests_total', 'Requests answered, by route, result and error code.', [
      'route',
      'result',
      'code',
      'stream',
    ])
    this.#duration = histogram(
      'request_duration_seconds',
      'From the head of the request to the end of the answer.',
      ['tier', 'stream'],
      SECONDS,
    )
    this.#overhead = histogram(
      'overhead_seconds',
      'Part of the duration that was not spent waiting for an upstream.',
      ['stream'],
      FAST_SECONDS,
    )
    this.#firstToken = histogram(
      'time_to_first_token_seconds',
      'Until the first content arrived from the upstream.',
      ['tier'],
      SECONDS,
    )
    this.#tokens = counter('tokens_total', 'Tokens by type; cached_input is part of input, reasoning part of output.', [
      'type',
      'tier',
    ])
    this.#spend = counter('spend_usd_total', 'Dollars charged for attempts, failed ones included.', ['tier', 'target'])
    this.#saved = counter('saved_usd_total', 'Dollars not spent.', ['by'])
    this.#decisions = counter('route_decisions_total', 'Where requests were sent and why.', [
      'tier',
      'reason',
      'intent',
    ])
    this.#routerTime = histogram('router_duration_seconds', 'Time that the routing decision took.', [], FAST_SECONDS)
    this.#cacheRequests = counter('cache_requests_total', 'Cache look-ups by outcome.', ['tier', 'result'])
    this.#dropped = counter('dropped_fields_total', 'Unknown or untranslatable request fields that were left out.', [])
    const readReplicas = (gauge: Gauge<'upstream' | 'replica'>, value: (replica: ReplicaGauge) => number): void => {
      gauge.reset()
      for (const replica of replicas())
        gauge.set({ upstream: replica.upstream, replica: replica.replica }, value(replica))
    }
    const gauge = (
      name: string,
      help: string,
      value: (replica: ReplicaGauge) => number,
    ): Gauge<'upstream' | 'replica'> =>
      new Gauge({
        name: `switchyard_${name}`,
        help,
        labelNames: ['upstream', 'replica'],
        registers,
        collect(): void {
          readReplicas(this, value)
        },
      })
    gauge('upstream_up', '1 = requests may go to this replica (its breaker is not open).', (replica) =>
      Number(replica.isUp),
    )
    gauge('upstream_inflight', 'Requests under way at this replica.', (replica) => replica.inflight)
  }

  /** The series of a kind of request, found once: finding one by its labels costs more than counting. All names come from closed sets. */
  #series(key: string, make: () => Series): Series {
    let series = this.#known.get(key)
    if (series === undefined) {
      series = make()
      this.#known.set(key, series)
    }
    return series
  }

  finished(record: FinishedRequest): void {
    const tier = record.tier ?? 'none'
    const stream = String(record.stream)
    const code = record.errorCode ?? ''
    const series = this.#series(`${tier} ${record.result} ${code} ${stream}`, () => ({
      requests: this.#requests.labels({ route: tier, result: record.result, code, stream }),
      duration: this.#duration.labels({ tier, stream }),
      overhead: this.#overhead.labels({ stream }),
      firstToken: this.#firstToken.labels({ tier }),
      input: this.#tokens.labels({ type: 'input', tier }),
      output: this.#tokens.labels({ type: 'output', tier }),
    }))
    series.requests.inc()
    series.duration.observe(record.durationMs / 1000)
    series.overhead.observe(Math.max(0, record.durationMs - record.upstreamMs) / 1000)
    if (record.firstContentMs !== undefined) series.firstToken.observe(record.firstContentMs / 1000)
    if (record.usage !== undefined) {
      series.input.inc(record.usage.input)
      series.output.inc(record.usage.output)
      if (record.usage.cachedInput > 0) this.#tokens.inc({ type: 'cached_input', tier }, record.usage.cachedInput)
      if (record.usage.reasoning > 0) this.#tokens.inc({ type: 'reasoning', tier }, record.usage.reasoning)
    }
    if (record.cost !== undefined && record.target !== undefined) {
      this.#spend.inc({ tier, target: record.target }, record.cost / NANO_PER_USD)
    }
    if (record.savedUsd > 0) this.#saved.inc({ by: 'cache' }, record.savedUsd / NANO_PER_USD)
    if (record.reason !== undefined) {
      this.#decisions.inc({ tier, reason: record.reason, intent: record.intent })
      this.#routerTime.observe(record.routerMs / 1000)
    }
    if (record.cache !== 'bypass') this.#cacheRequests.inc({ tier: cacheTier(record.cache), result: record.cache })
    if (record.dropped.length > 0) this.#dropped.inc(record.dropped.length)
  }
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
