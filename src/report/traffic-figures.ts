/** What a report shows, from what a log was added up to. */
import { drawChart, type Chart } from './line-chart.ts'
import { ownCurve, type CurvePoint, type OwnCurve } from './own-curve.ts'
import type { Traffic } from './traffic.ts'

/** Fewer calls than this make a curve that says nothing. */
export const CALLS_LEAST = 30

/** Why there is no curve; undefined = there is one. A sentence that says what to do. */
export function withoutCurve(traffic: Traffic, where: string): string | undefined {
  const { calls, scored, small, bigRates } = traffic
  if (calls === 0)
    return `${where} holds no call that a route decided. Send requests with model: auto, or name another log with --log or another route with --route.`
  if (scored === 0)
    return `${where} holds ${calls} calls that a route decided, none of them by a score: rules decided, or the log is older than the field "score".`
  if (scored < CALLS_LEAST)
    return `${where} holds ${scored} calls that were decided by a score. A curve needs ${CALLS_LEAST}; come back after more traffic, or raise --days.`
  const missing = small.rates === undefined ? 'small' : bigRates.rates === undefined ? 'big' : undefined
  if (missing === undefined) return undefined
  return `${where} holds no answer of the ${missing} side with a price, so what it costs is not known. Give its models prices, or a targetBigShare between 0 and 1.`
}

/** Only where `withoutCurve` has nothing to say. */
export function curveOf(traffic: Traffic, random: () => number): OwnCurve {
  const { small, bigRates, sample } = traffic
  if (small.rates === undefined || bigRates.rates === undefined) throw new RangeError('A side has no price.')
  return ownCurve(sample, { small: small.rates, big: bigRates.rates }, random)
}

export function chartOf(traffic: Traffic, { points, now }: OwnCurve, title: string): string {
  const first = points[0] as CurvePoint
  const last = points.at(-1) as CurvePoint
  const chart: Chart = {
    title,
    note: `Quality as the router predicts it, not as measured; ${traffic.scored} calls. Band: 95 % by resampling the calls.`,
    xLabel: 'US dollars per 1,000 calls',
    yLabel: 'predicted gain over all-small, points of 100',
    lines: [
      { name: 'by score', look: 'ours', points: points.map(({ usd, gain }) => ({ x: usd, y: gain })), band: points },
      {
        name: 'at random',
        look: 'plain',
        points: [
          { x: first.usd, y: first.gain },
          { x: last.usd, y: last.gain },
        ],
      },
    ],
    marks: [
      { name: 'all small', look: 'end', x: first.usd, y: first.gain },
      { name: 'all big', look: 'end', x: last.usd, y: last.gain },
      { name: `now: ${percent(now.share)} big`, look: 'now', x: now.usd, y: now.gain },
    ],
    xText: (x) => `$${Number(x.toPrecision(6))}`,
    yText: (y) => String(Number(y.toPrecision(6))),
  }
  return drawChart(chart)
}

/** Rows for people: head first. */
export function curveRows({ points, now }: OwnCurve): readonly (readonly string[])[] {
  const last = points.at(-1) as CurvePoint
  const row = (name: string, point: CurvePoint): readonly string[] => [
    name,
    percent(point.share),
    `$${point.usd.toFixed(4)}`,
    last.usd === 0 ? '' : percent(1 - point.usd / last.usd),
    point.gain.toFixed(2),
    `${point.low.toFixed(2)} to ${point.high.toFixed(2)}`,
    last.gain === 0 ? '' : percent(point.gain / last.gain),
  ]
  const at = (share: number): CurvePoint =>
    points.reduce((best, point) => (Math.abs(point.share - share) < Math.abs(best.share - share) ? point : best))
  return [
    ['setting', 'big', '$ per 1,000', 'cheaper', 'gain', '95 %', 'of the gap'],
    row('now', now),
    row('all small', at(0)),
    ...[0.1, 0.2, 0.3, 0.5, 0.7].map((share) => row(`targetBigShare ${share}`, at(share))),
    row('all big', at(1)),
  ]
}

export function reasonRows({ reasons, calls }: Traffic): readonly (readonly string[])[] {
  return [
    ['reason', 'calls', 'share'],
    ...[...reasons]
      .toSorted((a, b) => b[1] - a[1])
      .map(([reason, count]) => [reason, String(count), percent(count / calls)]),
  ]
}

export function intentRows({ intents, calls }: Traffic): readonly (readonly string[])[] {
  return [
    ['intent', 'calls', 'share', 'big'],
    ...[...intents]
      .toSorted((a, b) => b[1].calls - a[1].calls)
      .map(([intent, { calls: count, big }]) => [intent, String(count), percent(count / calls), percent(big / count)]),
  ]
}

/** One line: when, how many, how much. */
export function summary(traffic: Traffic): string {
  const { calls, big, escalated, usd, unpriced, firstMs, lastMs } = traffic
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  return (
    `${calls} calls from ${day(firstMs)} to ${day(lastMs)}, ${percent(big / calls)} of them answered by the big side, ` +
    `${percent(escalated / calls)} escalated; $${usd.toFixed(6)}${unpriced === 0 ? '' : ` and ${unpriced} calls without a price`}`
  )
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
