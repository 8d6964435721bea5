/** A log, added up as it streams by: counts are exact, the curve is drawn from an even sample of the calls. */
import type { RoutedCall } from './routed-call.ts'
import { TokenRates } from './token-rates.ts'

/** Calls that are kept: 40 bytes each, and more would not make the curve smoother. */
export const SAMPLE = 50_000

export class Traffic {
  calls = 0
  big = 0
  escalated = 0
  usd = 0
  unpriced = 0
  scored = 0
  firstMs: number = Infinity
  lastMs: number = -Infinity
  readonly reasons: Map<string, number> = new Map()
  readonly intents: Map<string, { calls: number; big: number }> = new Map()
  readonly small: TokenRates = new TokenRates()
  readonly bigRates: TokenRates = new TokenRates()
  readonly sample: RoutedCall[] = []
  readonly #random: () => number

  /** @param random Uniform in [0, 1); only choose which calls are kept of a long log. */
  constructor(random: () => number) {
    this.#random = random
  }

  add(call: RoutedCall): void {
    this.calls++
    if (call.isBig) this.big++
    if (call.isEscalated) this.escalated++
    if (call.usd === undefined) this.unpriced++
    else this.usd += call.usd
    this.firstMs = Math.min(this.firstMs, call.timeMs)
    this.lastMs = Math.max(this.lastMs, call.timeMs)
    this.reasons.set(call.reason, (this.reasons.get(call.reason) ?? 0) + 1)
    const intent = this.intents.get(call.intent) ?? { calls: 0, big: 0 }
    intent.calls++
    if (call.isBig) intent.big++
    this.intents.set(call.intent, intent)
    // An escalated call's bill has two models on it.
    if (call.usd !== undefined && !call.isEscalated)
      (call.isBig ? this.bigRates : this.small).add(call.input, call.output, call.usd)
    if (call.score !== undefined) this.#keep(call)
  }

  /** Reservoir sampling (Vitter's algorithm R): every scored call has the same chance to be among those kept. */
  #keep(call: RoutedCall): void {
    const at = this.scored++
    if (at < SAMPLE) this.sample.push(call)
    else {
      const place = Math.floor(this.#random() * this.scored)
      if (place < SAMPLE) this.sample[place] = call
    }
  }
}
