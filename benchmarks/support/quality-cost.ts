/** What a router's order of requests costs at a wanted quality, with the prices that were recorded. */
import type { Example } from '../../scripts/router-train/outcome-sets.ts'

export interface RecordedCall {
  readonly small: number
  readonly big: number
  readonly cost: { readonly small: number; readonly big: number }
}

/** Undefined where a row has no recorded prices. */
export function pricesFor(rows: readonly Example[]): RecordedCall[] | undefined {
  const calls = rows.flatMap(({ small, big, cost }) => (cost === undefined ? [] : [{ small, big, cost }]))
  return calls.length === rows.length && calls.length > 0 ? calls : undefined
}

/** US dollars per 1,000 calls when the highest scores go to the big model until `share` of its own quality is reached. */
export function costForQuality(scores: readonly number[], calls: readonly RecordedCall[], share: number): number {
  const order = [...calls.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  const wanted = share * calls.reduce((sum, { big }) => sum + big, 0)
  let quality = calls.reduce((sum, { small }) => sum + small, 0)
  let cost = calls.reduce((sum, call) => sum + call.cost.small, 0)
  for (const row of order) {
    if (quality >= wanted - 1e-9) break
    const call = calls[row] as RecordedCall
    quality += call.big - call.small
    cost += call.cost.big - call.cost.small
  }
  return (1000 * cost) / calls.length
}
