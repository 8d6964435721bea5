import { spread, quantile, type Spread } from '../support/statistics.ts'
import { short, table } from '../support/table.ts'
import type { FirstTokenResult } from './first-token.ts'
import type { MemoryResult } from './memory.ts'
import type { OpenStreamsResult } from './open-streams.ts'

/** One line per contender that held open streams. */
export function openStreamsTable(results: readonly OpenStreamsResult[], count: number): string {
  const probe = ['probe p50 ms', 'p99 ms', 'idle p99', 'own lag p99']
  return table(
    [`${count} open streams`, 'open', 'cut', 'RSS MiB', 'idle', ...probe, 'core'],
    results.map((one) => [
      one.contender,
      String(one.openAtOnce),
      String(one.cut),
      one.rssMaxMiB.toFixed(0),
      one.rssIdleMiB.toFixed(0),
      short(one.probeP50Ms),
      short(one.probeP99Ms),
      short(one.probeIdleP99Ms),
      one.ownLagP99Ms === undefined ? '' : short(one.ownLagP99Ms),
      `${Math.round(one.busy * 100)}%`,
    ]),
  )
}

/** The rounds of one contender, each figure the median of the rounds' figures. */
export interface FirstTokenRow {
  readonly contender: string
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  readonly throughP99MinusDirectP99Ms: number
  readonly directP50Ms: number
  readonly failed: number
  readonly pairs: number
}

/** Sums up the rounds, contenders in the order of their first round. */
export function firstTokenRows(results: readonly FirstTokenResult[]): FirstTokenRow[] {
  const names = [...new Set(results.map((one) => one.contender))]
  return names.map((contender) => {
    const own = results.filter((one) => one.contender === contender)
    const middle = (read: (one: FirstTokenResult) => number): number => quantile(own.map(read), 0.5)
    return {
      contender,
      addedP50Ms: middle((one) => one.addedP50Ms),
      addedP99Ms: middle((one) => one.addedP99Ms),
      throughP99MinusDirectP99Ms: middle((one) => one.throughP99Ms - one.directP99Ms),
      directP50Ms: middle((one) => one.directP50Ms),
      failed: own.reduce((sum, one) => sum + one.failed, 0),
      pairs: own.reduce((sum, one) => sum + one.pairs, 0),
    }
  })
}

/** One line per contender: what it adds to the time to first token. */
export function firstTokenTable(rows: readonly FirstTokenRow[]): string {
  return table(
    ['added time to first token, 100/s', 'p50 ms', 'p99 ms', 'p99 - p99', 'direct p50', 'failed', 'pairs'],
    rows.map((row) => [
      row.contender,
      short(row.addedP50Ms),
      short(row.addedP99Ms),
      short(row.throughP99MinusDirectP99Ms),
      short(row.directP50Ms),
      String(row.failed),
      String(row.pairs),
    ]),
  )
}

/** Start times of one contender, milliseconds. */
export interface StartRow {
  readonly contender: string
  readonly readyMs: Spread
  readonly each: readonly number[]
}

/** Sums up start times by contender. */
export function startRows(times: ReadonlyMap<string, readonly number[]>): StartRow[] {
  return [...times].map(([contender, each]) => ({ contender, readyMs: spread(each), each }))
}

/** One line per contender: milliseconds from spawn to ready. */
export function startTable(rows: readonly StartRow[]): string {
  return table(
    ['start to ready', 'median ms', 'min', 'max', 'n'],
    rows.map(({ contender, readyMs }) => [
      contender,
      ...[readyMs.median, readyMs.min, readyMs.max].map((value) => value.toFixed(0)),
      String(readyMs.n),
    ]),
  )
}

/** One line per contender: its resident set on the way. */
export function memoryTable(results: readonly MemoryResult[], perStep: number): string {
  const readings = results[0]?.rssMiB ?? []
  const marks = readings.map((_, step) => String(step * perStep))
  return table(
    ['RSS MiB after requests', ...marks, 'from half on', 'failed'],
    results.map((one) => [
      one.contender,
      ...one.rssMiB.map((value) => value.toFixed(0)),
      `${one.growthFromHalfPercent >= 0 ? '+' : ''}${one.growthFromHalfPercent.toFixed(1)}%`,
      String(one.failed),
    ]),
  )
}
