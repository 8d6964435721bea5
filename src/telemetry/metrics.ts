import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { FinishedRequest, Reporter } from '../gateway/steps.ts'
import { NANO_PER_USD } from '../shared/money.ts'
import { BudgetMetrics } from './budget-metrics.ts'
import { CacheMetrics } from './cache-metrics.ts'
import { EncoderMetrics } from './encoder-metrics.ts'
import { CounterFamily, HistogramFamily, type CounterSeries, type HistogramSeries } from './families.ts'

/** What a replica looks like from here, for the gauges that are read at scrape time. */
export interface ReplicaGauge {
  readonly upstream: string
  readonly replica: string
  readonly isUp: boolean
  readonly inflight: number
}

/** The series that a kind of request counts in, found once. */
interface RequestSeries {
  readonly requests: CounterSeries
  readonly duration: HistogramSeries
  readonly overhead: HistogramSeries
  readonly firstToken: HistogramSeries
  readonly input: CounterSeries
  readonly output: CounterSeries
  readonly cachedInput: CounterSeries
  readonly reasoning: CounterSeries
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900]
const FAST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1]

/**
 * Prometheus metrics, prefix `switchyard_`. Every label comes from a closed set (tiers, reasons, results, error codes, configured
 * names); what a caller writes never becomes a label.
 */
export class Metrics implements Reporter {
  readonly registry: Registry = new Registry()
  readonly budget: BudgetMetrics = new BudgetMetrics(this.registry)
  readonly encoder: EncoderMetrics = new EncoderMetrics(this.registry)
  readonly cache: CacheMetrics = new CacheMetrics(this.registry)
  readonly #requests: CounterFamily
  readonly #duration: HistogramFamily
  readonly #overhead: HistogramFamily
  readonly #firstToken: HistogramFamily
  readonly #tokens: CounterFamily
  readonly #spend: CounterFamily
  readonly #saved: CounterFamily
  readonly #decisions: CounterFamily
  readonly #escalations: CounterFamily
  readonly #routerTime: HistogramSeries
  readonly #dropped: CounterSeries
  readonly #findings: CounterFamily
  readonly #suspicious: CounterSeries
  readonly #requestSeries = new RecentSeries<RequestSeries>()
  readonly #spendSeries = new Map<string, CounterSeries>()
  readonly #decisionSeries = new RecentSeries<CounterSeries>()

  constructor(replicas: () => readonly ReplicaGauge[]) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    const counter = (name: string, help: string): CounterFamily =>
      new CounterFamily(`switchyard_${name}`, help, this.registry)
    const histogram = (name: string, help: string, bounds: readonly number[]): HistogramFamily =>
      new HistogramFamily(`switchyard_${name}`, help, bounds, this.registry)
    this.#requests = counter('requests_total', 'Requests answered, by route, result and error code.')
    this.#duration = histogram(
      'request_duration_seconds',
      'From the last byte of the request to the end of the answer.',
      SECONDS,
    )
    this.#overhead = histogram(
      'overhead_seconds',
      'Part of the duration that was not spent waiting for an upstream.',
      FAST_SECONDS,
    )
    this.#firstToken = histogram(
      'time_to_first_token_seconds',
      'Until the first content arrived from the upstream.',
      SECONDS,
    )
    this.#tokens = counter('tokens_total', 'Tokens by type; cached_input is part of input, reasoning part of output.')
    this.#spend = counter('spend_usd_total', 'Dollars charged for attempts, failed ones included.')
    this.#saved = counter('saved_usd_total', 'Dollars not spent.')
    this.#decisions = counter('route_decisions_total', 'Where requests were sent and why.')
    this.#escalations = counter('escalations_total', 'Answers of the small side that were not sent, by what was wrong.')
    this.#routerTime = histogram(
      'router_duration_seconds',
      'Time that the routing decision took.',
      FAST_SECONDS,
    ).labels({})
    this.#dropped = counter(
      'dropped_fields_total',
      'Unknown or untranslatable request fields that were left out.',
    ).labels({})
    this.#findings = counter('guard_findings_total', 'Personal data and secrets found in requests, by kind.')
    this.#suspicious = counter('guard_suspicious_total', 'Requests whose text looks like a prompt injection.').labels(
      {},
    )
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

  finished(record: FinishedRequest): void {
    const tier = record.tier ?? 'none'
    const series = this.#seriesOf(tier, record)
    series.requests.inc()
    series.duration.observe(record.durationMs / 1000)
    series.overhead.observe(Math.max(0, record.durationMs - record.upstreamMs) / 1000)
    if (record.firstContentMs !== undefined) series.firstToken.observe(record.firstContentMs / 1000)
    if (record.usage !== undefined) {
      series.input.inc(record.usage.input)
      series.output.inc(record.usage.output)
      series.cachedInput.inc(record.usage.cachedInput)
      series.reasoning.inc(record.usage.reasoning)
    }
    const { cost, target, reason, intent } = record
    if (cost !== undefined && target !== undefined) {
      kept(this.#spendSeries, target, () => this.#spend.labels({ tier, target })).inc(cost / NANO_PER_USD)
    }
    if (record.savedUsd > 0) this.#saved.labels({ by: 'cache' }).inc(record.savedUsd / NANO_PER_USD)
    if (reason !== undefined) {
      this.#decisionSeries.get(tier, reason, intent, '', () => this.#decisions.labels({ tier, reason, intent })).inc()
      this.#routerTime.observe(record.routerMs / 1000)
    }
    if (record.escalation !== undefined) this.#escalations.labels({ reason: record.escalation }).inc()
    this.cache.looked(record.cache, record.cacheWhy)
    if (record.dropped.length > 0) this.#dropped.inc(record.dropped.length)
    if (record.guard !== undefined) {
      for (const [kind, count] of record.guard.findings) this.#findings.labels({ kind }).inc(count)
      if (record.guard.suspicion !== undefined) this.#suspicious.inc()
    }
  }

  #seriesOf(tier: string, record: FinishedRequest): RequestSeries {
    const stream = String(record.stream)
    const code = record.errorCode ?? ''
    return this.#requestSeries.get(tier, record.result, code, stream, () => ({
      requests: this.#requests.labels({ route: tier, result: record.result, code, stream }),
      duration: this.#duration.labels({ tier, stream }),
      overhead: this.#overhead.labels({ stream }),
      firstToken: this.#firstToken.labels({ tier }),
      input: this.#tokens.labels({ type: 'input', tier }),
      output: this.#tokens.labels({ type: 'output', tier }),
      cachedInput: this.#tokens.labels({ type: 'cached_input', tier }),
      reasoning: this.#tokens.labels({ type: 'reasoning', tier }),
    }))
  }
}

/** Series by four labels. The last one of each first label is at hand, as joining labels to a key costs more than counting does. */
class RecentSeries<Value> {
  readonly #all = new Map<string, Value>()
  readonly #recent = new Map<string, { second: string; third: string; fourth: string; value: Value }>()

  get(first: string, second: string, third: string, fourth: string, make: () => Value): Value {
    const last = this.#recent.get(first)
    if (last !== undefined && last.second === second && last.third === third && last.fourth === fourth)
      return last.value
    const value = kept(this.#all, `${first} ${second} ${third} ${fourth}`, make)
    this.#recent.set(first, { second, third, fourth, value })
    return value
  }
}

/** What a map has at a key, made where it is missing. Keys are joined from closed sets. */
function kept<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
