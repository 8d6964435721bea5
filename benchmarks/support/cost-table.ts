import { unitCost, type CountedHit, type Scenario, type Series } from './compare.ts'
import { quantile, ratios, spread, type Spread } from './statistics.ts'
import { short, table } from './table.ts'

/** One contender in one scenario, summed up over its rounds. */
export interface CostRow {
  readonly contender: string
  /** CPU microseconds per request, or per chunk of a stream. */
  readonly cpuUs: Spread
  /** CPU against the reference of the same round. */
  readonly ratio: Spread | undefined
  readonly perSecond: Spread
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: number
  readonly rssMiB: number
  readonly failed: number
  /** Requests that reached the mock per request that was answered. */
  readonly upstreamPerRequest: number
  readonly requestsPerRound: number
  readonly rounds: readonly number[]
}

/** Sums up the series that have rounds; `reference` is the contender that ratios are taken against, if it ran. */
export function costRows(scenario: Scenario, series: readonly Series[], reference: string | undefined): CostRow[] {
  const costs = (one: Series): number[] => one.hits.map((hit) => unitCost(scenario, hit))
  const base = series.find((one) => one.contender === reference && one.hits.length > 0)
  return series
    .filter((one) => one.hits.length > 0)
    .map((one) => ({
      contender: one.contender,
      cpuUs: spread(costs(one)),
      ratio: base === undefined ? undefined : ratios(costs(one), costs(base)),
      perSecond: spread(one.hits.map((hit) => hit.perSecond)),
      p50Ms: quantile(
        one.hits.map((hit) => hit.p50Ms),
        0.5,
      ),
      p99Ms: quantile(
        one.hits.map((hit) => hit.p99Ms),
        0.5,
      ),
      busy: quantile(
        one.hits.map((hit) => hit.busy),
        0.5,
      ),
      rssMiB: one.hits.at(-1)?.rssMiB ?? 0,
      failed: total(one, (hit) => hit.failed),
      upstreamPerRequest: total(one, (hit) => hit.upstreamRequests) / total(one, (hit) => hit.completed),
      requestsPerRound: one.amount,
      rounds: costs(one),
    }))
}

function total(series: Series, read: (hit: CountedHit) => number): number {
  return series.hits.reduce((sum, hit) => sum + read(hit), 0)
}

/** The table of one scenario. */
export function costTable(scenario: Scenario, rows: readonly CostRow[], reference: string | undefined): string {
  const unit = scenario.stream === undefined ? 'request' : 'chunk'
  const header = [scenario.title, `CPU us/${unit}`, 'min-max', `x ${reference ?? 'reference'}`, 'min-max']
  const more = ['req/s', 'p50 ms', 'p99 ms', 'core', 'RSS MiB', 'failed', 'upstream', 'n']
  return table(
    [...header, ...more],
    rows.map((row) => [
      row.contender,
      short(row.cpuUs.median),
      `${short(row.cpuUs.min)}-${short(row.cpuUs.max)}`,
      row.ratio === undefined ? '' : row.ratio.median.toFixed(2),
      row.ratio === undefined ? '' : `${row.ratio.min.toFixed(2)}-${row.ratio.max.toFixed(2)}`,
      short(row.perSecond.median),
      short(row.p50Ms),
      short(row.p99Ms),
      `${Math.round(row.busy * 100)}%`,
      row.rssMiB.toFixed(0),
      String(row.failed),
      `${row.upstreamPerRequest.toFixed(3)}x`,
      `${row.rounds.length}x${row.requestsPerRound}`,
    ]),
  )
}
