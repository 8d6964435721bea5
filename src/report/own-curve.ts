/**
 * What other settings would have cost, and gained by the router's own prediction, on calls that were made. The price of the side that
 * did not answer is that of its tokens on other calls; who would have answered at greater length is not known.
 */
import type { RoutedCall } from './routed-call.ts'
import type { Rates } from './token-rates.ts'

export interface CurvePoint {
  /** Share of calls to the big side, 0..1. */
  readonly share: number
  /** Dollars per 1,000 calls. */
  readonly usd: number
  /** Predicted gain over all-small, points of 100. */
  readonly gain: number
  /** 95 % of the samples lie between. */
  readonly low: number
  readonly high: number
}

export interface OwnCurve {
  /** From all-small to all-big. */
  readonly points: readonly CurvePoint[]
  /** What the route does now. */
  readonly now: CurvePoint
}

/** Points of the curve less one. */
const STEPS = 40
/** Samples with replacement that the interval is taken from. */
const RESAMPLES = 200

export interface SideRates {
  readonly small: Rates
  readonly big: Rates
}

/** @param calls With scores, at least one. */
export function ownCurve(calls: readonly RoutedCall[], rates: SideRates, random: () => number): OwnCurve {
  const order = calls.toSorted((a, b) => (b.score as number) - (a.score as number))
  const scores = Float64Array.from(order, ({ score }) => score as number)
  const costs = { small: pricesOf(order, rates.small), big: pricesOf(order, rates.big) }
  // Of an escalated call the caller got the big side's answer, and both are on the bill.
  const isBig = Uint8Array.from(order, (call) => (call.isBig || call.isEscalated ? 1 : 0))
  const isBoth = order.map((call) => call.isEscalated)
  const ones = new Uint8Array(order.length).fill(1)
  const usd = walk(order.length, ones, (i, up) => (up ? (costs.big[i] as number) : (costs.small[i] as number)))
  const gain = (weights: Uint8Array): number[] =>
    walk(order.length, weights, (i, up) => (up ? (scores[i] as number) : 0))
  const nowOf = (weights: Uint8Array, value: (i: number) => number): number => meanOf(weights, value)
  const gained = gain(ones)
  const samples = Array.from({ length: RESAMPLES }, () => {
    const weights = Uint8Array.from(order, () => poisson(random))
    return { curve: gain(weights), now: nowOf(weights, (i) => (isBig[i] === 1 ? (scores[i] as number) : 0)) }
  })
  const between = (values: readonly number[]): { low: number; high: number } => {
    const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
    const at = (share: number): number => 100 * (sorted[Math.round(share * (sorted.length - 1))] ?? 0)
    return { low: at(0.025), high: at(0.975) }
  }
  const points = gained.map((value, step): CurvePoint => ({
    share: step / STEPS,
    usd: 1000 * (usd[step] as number),
    gain: 100 * value,
    ...between(samples.map(({ curve }) => curve[step] as number)),
  }))
  const now: CurvePoint = {
    share: meanOf(ones, (i) => isBig[i] as number),
    usd:
      1000 *
      meanOf(
        ones,
        (i) =>
          (isBig[i] === 1 ? (costs.big[i] as number) : 0) +
          (isBig[i] === 0 || isBoth[i] === true ? (costs.small[i] as number) : 0),
      ),
    gain: 100 * nowOf(ones, (i) => (isBig[i] === 1 ? (scores[i] as number) : 0)),
    ...between(samples.map((sample) => sample.now)),
  }
  return { points, now }
}

function pricesOf(calls: readonly RoutedCall[], { input, output }: Rates): Float64Array {
  return Float64Array.from(calls, (call) => call.input * input + call.output * output)
}

/** Means of `value` where the first so many calls go up, for each step of the curve. */
function walk(length: number, weights: Uint8Array, value: (i: number, isUp: boolean) => number): number[] {
  let sum = 0
  let weight = 0
  for (let i = 0; i < length; i++) {
    sum += (weights[i] as number) * value(i, false)
    weight += weights[i] as number
  }
  const means: number[] = []
  let i = 0
  let up = 0
  for (let step = 0; step <= STEPS; step++) {
    for (; i < length && up < (step / STEPS) * weight - 1e-9; i++) {
      const times = weights[i] as number
      sum += times * (value(i, true) - value(i, false))
      up += times
    }
    means.push(sum / weight)
  }
  return means
}

function meanOf(weights: Uint8Array, value: (i: number) => number): number {
  let sum = 0
  let weight = 0
  for (let i = 0; i < weights.length; i++) {
    sum += (weights[i] as number) * value(i)
    weight += weights[i] as number
  }
  return sum / weight
}

const EXP_MINUS_1 = Math.exp(-1)

/** How often a call stands in a sample with replacement of many: about Poisson with mean 1. */
function poisson(random: () => number): number {
  let left = random() - EXP_MINUS_1
  let part = EXP_MINUS_1
  let count = 0
  while (left >= 0 && count < 12) {
    count++
    part /= count
    left -= part
  }
  return count
}
