import { quantile } from '../../benchmarks/support/statistics.ts'
import { NANO_PER_USD } from '../../src/shared/money.ts'
import type { Price } from '../../src/shared/price.ts'
import { anthropicPrice, cachedAllSession, cachedFiveMinutes, costOf, type CachedTokens } from './recorded-cost.ts'
import type { RecordedCall, Session } from './sessions.ts'

export const USD_MARKS = [1, 5, 10, 25] as const
/** Tool calls and seconds of the built-in type `server-run`. */
export const TOOL_CALLS_MARK = 6
export const SECONDS_MARK = 90

export interface CostFigures {
  readonly name: string
  /** USD per session. */
  readonly p50: number
  readonly p95: number
  readonly max: number
  readonly total: number
  /** Share of sessions that cost more than each of `USD_MARKS`. */
  readonly shareAbove: readonly number[]
}
export interface SpendFigures {
  readonly sessions: number
  readonly calls: number
  readonly costs: readonly CostFigures[]
  readonly shareAboveToolCalls: number
  readonly shareAboveSeconds: number
  /** Most calls of one session under way at once. */
  readonly concurrencyMax: number
}

/** What the sessions cost at one model's price and as they were served, with a cache that lasts and one of five minutes. */
export function spendFigures(sessions: readonly Session[], opus: Price, nowMs: number): SpendFigures {
  const served = new Map<string, Price>()
  const asServed = ({ model }: RecordedCall): Price => {
    const price = served.get(model) ?? anthropicPrice(model, nowMs)
    served.set(model, price)
    return price
  }
  const lasting = (): CachedTokens => cachedAllSession
  const figures = (
    name: string,
    priceOf: (call: RecordedCall) => Price,
    cacheOf: (session: Session) => CachedTokens,
  ): CostFigures => {
    const usd = sessions.map((session) => {
      const cached = cacheOf(session)
      const nano = session.calls.reduce((sum, call) => sum + costOf(call, priceOf(call), cached), 0)
      return nano / NANO_PER_USD
    })
    return {
      name,
      p50: quantile(usd, 0.5),
      p95: quantile(usd, 0.95),
      max: quantile(usd, 1),
      total: usd.reduce((a, b) => a + b, 0),
      shareAbove: USD_MARKS.map((mark) => share(usd, (each) => each > mark)),
    }
  }
  return {
    sessions: sessions.length,
    calls: sessions.reduce((sum, { calls }) => sum + calls.length, 0),
    costs: [
      figures('all at Opus 4.5, cache lasts', () => opus, lasting),
      figures('all at Opus 4.5, cache of 5 minutes', () => opus, cachedFiveMinutes),
      figures('models as served, cache lasts', asServed, lasting),
      figures('models as served, cache of 5 minutes', asServed, cachedFiveMinutes),
    ],
    shareAboveToolCalls: share(sessions, ({ toolStops }) => toolStops > TOOL_CALLS_MARK),
    shareAboveSeconds: share(sessions, ({ seconds }) => seconds > SECONDS_MARK),
    concurrencyMax: Math.max(...sessions.map(concurrencyOf)),
  }
}

function concurrencyOf({ calls }: Session): number {
  return Math.max(
    ...calls.map(
      ({ startMs }) => calls.filter((each) => each.startMs <= startMs && startMs < each.startMs + each.tookMs).length,
    ),
  )
}

/** 0..1. */
export function share<T>(all: readonly T[], is: (each: T) => boolean): number {
  return all.filter(is).length / all.length
}
