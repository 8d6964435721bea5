import { charge } from '../../src/budget/prices/charge.ts'
import { scheduleOf } from '../../src/budget/prices/price-book.ts'
import { priceAt } from '../../src/budget/prices/price-schedule.ts'
import type { NanoUsd } from '../../src/shared/money.ts'
import type { Price } from '../../src/shared/price.ts'
import type { RecordedCall, Session } from './sessions.ts'

/** Anthropic's shorter cache keeps a prefix for five minutes after its last use (prompt caching guide). */
const CACHE_MS = 300_000

/** Today's price of a model of Anthropic's. Throws for one that the book does not know. */
export function anthropicPrice(model: string, ms: number): Price {
  const price = priceAt(scheduleOf('anthropic', model), ms)
  if (price === undefined) throw new Error(`the price book does not know ${model}`)
  return price
}

/** Prompt tokens that were read from the provider's cache. */
export type CachedTokens = (call: RecordedCall) => number

/** What the trace says: everything that the same agent sent before is still in the cache. */
export const cachedAllSession: CachedTokens = (call) => call.cached

/** The same with a cache that forgets after five minutes without use. */
export function cachedFiveMinutes(session: Session): CachedTokens {
  const cold = new Set<RecordedCall>()
  const lastMs = new Map<string, number>()
  for (const call of session.calls) {
    const last = lastMs.get(call.agent)
    if (last !== undefined && call.startMs - last > CACHE_MS) cold.add(call)
    lastMs.set(call.agent, call.startMs + call.tookMs)
  }
  return (call) => (cold.has(call) ? 0 : call.cached)
}

/** What a call is charged: cached tokens at the cached rate, all others as written to the five-minute cache. */
export function costOf(call: RecordedCall, price: Price, cached: CachedTokens): NanoUsd {
  const cachedInput = cached(call)
  return charge(
    {
      input: call.input,
      cachedInput,
      cacheWrite: call.input - cachedInput,
      output: call.output,
      reasoning: 0,
      audioInput: 0,
      audioOutput: 0,
      estimated: false,
    },
    price,
  )
}
