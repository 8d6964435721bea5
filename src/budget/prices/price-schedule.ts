import type { Price } from '../../shared/price.ts'

export interface DatedPrice {
  /** Unix milliseconds, inclusive. */
  readonly fromMs: number
  /** Undefined = not known for that time, as before a model was sold. */
  readonly price: Price | undefined
}

/** Prices of one model by the time from which they hold, ascending. All that a price book knows of the future is in it. */
export type PriceSchedule = readonly DatedPrice[]

/** A price that never changes. */
export function always(price: Price | undefined): PriceSchedule {
  return [{ fromMs: -Infinity, price }]
}

/** The price in force at a time in Unix milliseconds: a service that runs over a change charges the new price from then on. */
export function priceAt(schedule: PriceSchedule, ms: number): Price | undefined {
  for (let i = schedule.length - 1; i >= 0; i--) {
    const dated = schedule[i]
    if (dated !== undefined && ms >= dated.fromMs) return dated.price
  }
  return undefined
}
