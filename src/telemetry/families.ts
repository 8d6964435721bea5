/**
 * Counters and histograms whose hot side is an addition to a number: a series is found once by its labels and then kept. prom-client
 * finds the series anew at each count, by sorting and joining label names, which costs more than routing a request. It still keeps
 * the registry, renders the page and collects the process's own figures.
 */
import type { Metric, Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

/** A series that only goes up. */
export class CounterSeries {
  value = 0

  inc(amount: number = 1): void {
    this.value += amount
  }
}

/** Observations by bucket. */
export class HistogramSeries {
  sum = 0
  /** One per bound, and one for what lies above the last. */
  readonly counts: Float64Array
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > (bounds[at] as number)) at++
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += value
  }
}

interface Row {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}
/** What prom-client's registry reads of a metric. */
interface Page {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: 'sum'
  readonly values: readonly Row[]
}

/** All series of one name; labels come from closed sets, so their number is bounded. */
abstract class Family<Series> {
  readonly name: string
  readonly #help: string
  readonly #type: string
  readonly #series = new Map<string, { readonly labels: Labels; readonly series: Series }>()

  constructor(name: string, help: string, type: string, registry: Registry) {
    this.name = name
    this.#help = help
    this.#type = type
    registry.registerMetric(this as unknown as Metric)
  }

  /** The series with these labels. Keep it: finding it is the slow part. */
  labels(labels: Labels): Series {
    const key = JSON.stringify(Object.entries(labels))
    let found = this.#series.get(key)
    if (found === undefined) {
      found = { labels, series: this.make() }
      this.#series.set(key, found)
    }
    return found.series
  }

  /** For the registry. */
  get(): Promise<Page> {
    const values = [...this.#series.values()].flatMap(({ labels, series }) => this.rows(labels, series))
    return Promise.resolve({ name: this.name, help: this.#help, type: this.#type, aggregator: 'sum', values })
  }

  protected abstract make(): Series
  protected abstract rows(labels: Labels, series: Series): readonly Row[]
}

export class CounterFamily extends Family<CounterSeries> {
  constructor(name: string, help: string, registry: Registry) {
    super(name, help, 'counter', registry)
  }

  protected override make(): CounterSeries {
    return new CounterSeries()
  }

  protected override rows(labels: Labels, series: CounterSeries): readonly Row[] {
    return [{ labels, value: series.value }]
  }
}

export class HistogramFamily extends Family<HistogramSeries> {
  readonly #bounds: readonly number[]

  /** `bounds` are the buckets' upper ends, ascending. */
  constructor(name: string, help: string, bounds: readonly number[], registry: Registry) {
    super(name, help, 'histogram', registry)
    this.#bounds = bounds
  }

  protected override make(): HistogramSeries {
    return new HistogramSeries(this.#bounds)
  }

  /** Buckets are cumulative (Prometheus text format 0.0.4). */
  protected override rows(labels: Labels, series: HistogramSeries): readonly Row[] {
    let total = 0
    const rows: Row[] = Array.from(series.counts, (count, at) => {
      total += count
      const le = String(this.#bounds[at] ?? '+Inf')
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total }
    })
    rows.push({ metricName: `${this.name}_sum`, labels, value: series.sum })
    rows.push({ metricName: `${this.name}_count`, labels, value: total })
    return rows
  }
}
