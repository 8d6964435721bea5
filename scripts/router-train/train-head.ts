/** Fits one head to examples: ridge regression of the centred gain, then a probability from its sums. */
import { BUCKETS, NgramCounter } from '../../src/routing/ngram-counter.ts'
import { COUNT_NAMES } from '../../src/routing/features.ts'
import { frequencyValue, type LinearHeadParts } from '../../src/routing/linear-head.ts'
import type { Example } from './outcome-sets.ts'
import { fitRidge, rowDot, type SparseRows } from './ridge.ts'

/** Chosen once by cross-validation among a few values each; the figures of the card are for these. */
export const SETTINGS = {
  /** Ridge penalty of every weight but the intercept. */
  penalty: 20,
  /** Standard deviation that counts get beside n-gram vectors of length 1. */
  countScale: 0.3,
  /** Sets weigh rows^(1 - this): at 0 the largest sets decide alone, at 1 the smallest count as much. */
  setBalance: 0.25,
  /** Part of the target that comes from groups of alike models instead of the one pair. */
  groupShare: 0.3,
  iterations: 25,
} as const

const BIAS = BUCKETS + COUNT_NAMES.length

/** Examples as rows of numbers, made once and fitted many times. */
export interface TrainingRows {
  readonly examples: readonly Example[]
  readonly rows: SparseRows
  readonly countMeans: Float64Array
  /** Per count: what one standardised unit is divided by; 0 = the count never varies and gets no weight. */
  readonly countScales: Float64Array
}

export function makeRows(examples: readonly Example[]): TrainingRows {
  const { means, scales } = standardise(examples)
  const ngrams = new NgramCounter()
  let entries = 0
  for (const { features } of examples) {
    ngrams.count(features.text)
    entries += ngrams.size + COUNT_NAMES.length + 1
  }
  const starts = new Uint32Array(examples.length + 1)
  const columns = new Uint32Array(entries)
  const values = new Float32Array(entries)
  let at = 0
  for (const [index, { features }] of examples.entries()) {
    ngrams.count(features.text)
    let squares = 0
    const from = at
    for (let i = 0; i < ngrams.size; i++) {
      const bucket = ngrams.touched[i] as number
      const value = frequencyValue(ngrams.counts[bucket] as number)
      squares += value * value
      columns[at] = bucket
      values[at++] = value
    }
    for (let i = from; i < at; i++) values[i] = (values[i] as number) / Math.sqrt(squares)
    for (let i = 0; i < COUNT_NAMES.length; i++) {
      columns[at] = BUCKETS + i
      values[at++] = ((features.counts[i] as number) - (means[i] as number)) * (scales[i] as number)
    }
    columns[at] = BIAS
    values[at++] = 1
    starts[index + 1] = at
  }
  return {
    examples,
    rows: { starts, columns, values, width: BIAS + 1 },
    countMeans: means,
    countScales: scales,
  }
}

function standardise(examples: readonly Example[]): { means: Float64Array; scales: Float64Array } {
  const means = new Float64Array(COUNT_NAMES.length)
  const scales = new Float64Array(COUNT_NAMES.length)
  for (let i = 0; i < COUNT_NAMES.length; i++) {
    const values = examples.map(({ features }) => features.counts[i] as number)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    means[i] = mean
    scales[i] = deviation > 1e-9 ? SETTINGS.countScale / deviation : 0
  }
  return { means, scales }
}

/** Weights over the columns of `data.rows`, fitted on the rows `use`. */
export function fitWeights(data: TrainingRows, use: Uint32Array): Float64Array {
  const { targets, rowWeights } = centredTargets(data.examples, use)
  const penalties = new Float64Array(BIAS + 1).fill(SETTINGS.penalty)
  penalties[BIAS] = 0
  return fitRidge({ rows: data.rows, use, targets, rowWeights, penalties, iterations: SETTINGS.iterations })
}

/**
 * The gain less the mean gain of its family of pairs: what is learned is which requests gain more, not which pair of models
 * happened to be recorded for them. A family's mean is that of its sets' means; means come from the rows in use alone.
 */
function centredTargets(
  examples: readonly Example[],
  use: Uint32Array,
): { targets: Float64Array; rowWeights: Float64Array } {
  const gainOf = ({ big, small, groupGain }: Example): number =>
    (1 - SETTINGS.groupShare) * (big - small) + SETTINGS.groupShare * groupGain
  const sets = new Map<string, { readonly family: string; rows: number; gain: number }>()
  for (const index of use) {
    const example = examples[index] as Example
    const sum = sets.get(example.set) ?? { family: example.family, rows: 0, gain: 0 }
    sum.rows++
    sum.gain += gainOf(example)
    sets.set(example.set, sum)
  }
  const centre = new Map<string, number>()
  for (const [family, members] of Map.groupBy(sets.values(), ({ family }) => family)) {
    centre.set(family, members.reduce((sum, { gain, rows }) => sum + gain / rows, 0) / members.length)
  }
  const typical = use.length / sets.size
  const targets = new Float64Array(examples.length)
  const rowWeights = new Float64Array(examples.length)
  for (const index of use) {
    const example = examples[index] as Example
    targets[index] = gainOf(example) - (centre.get(example.family) as number)
    rowWeights[index] = (typical / (sets.get(example.set)?.rows as number)) ** SETTINGS.setBalance
  }
  return { targets, rowWeights }
}

export function sumOf(data: TrainingRows, row: number, weights: Float64Array): number {
  return rowDot(data.rows, row, weights)
}

/** Weights as a head: n-gram weights in 16 bits, counts back on their own scale. `slope` and `offset` from `fitProbability`. */
export function headOf(
  data: TrainingRows,
  weights: Float64Array,
  probability: { readonly slope: number; readonly offset: number },
): LinearHeadParts {
  let largest = 0
  for (let i = 0; i < BUCKETS; i++) largest = Math.max(largest, Math.abs(weights[i] as number))
  const scale = largest === 0 ? 1 : largest / 32_767
  let bias = weights[BIAS] as number
  const counts = COUNT_NAMES.map((_, i) => {
    const weight = (weights[BUCKETS + i] as number) * (data.countScales[i] as number)
    bias -= weight * (data.countMeans[i] as number)
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const { features } of data.examples) {
      low = Math.min(low, features.counts[i] as number)
      high = Math.max(high, features.counts[i] as number)
    }
    return { weight, low, high }
  })
  const quantised = Int16Array.from({ length: BUCKETS }, (_, i) => Math.round((weights[i] as number) / scale))
  return { weights: quantised, scale, counts, bias, ...probability }
}

/** Logistic regression of `positive` on one sum (Platt 1999), by Newton's method. */
export function fitProbability(
  sums: Float64Array,
  positive: readonly boolean[],
): { readonly slope: number; readonly offset: number } {
  let slope = 1
  let offset = 0
  for (let step = 0; step < 50; step++) {
    let [gradientSlope, gradientOffset, ss, so, oo] = [0, 0, 1e-9, 0, 1e-9]
    for (let i = 0; i < sums.length; i++) {
      const x = sums[i] as number
      const p = 1 / (1 + Math.exp(-(slope * x + offset)))
      const miss = (positive[i] === true ? 1 : 0) - p
      const spread = p * (1 - p)
      gradientSlope += miss * x
      gradientOffset += miss
      ss += spread * x * x
      so += spread * x
      oo += spread
    }
    const determinant = ss * oo - so * so
    const slopeStep = (oo * gradientSlope - so * gradientOffset) / determinant
    const offsetStep = (ss * gradientOffset - so * gradientSlope) / determinant
    slope += slopeStep
    offset += offsetStep
    if (Math.abs(slopeStep) + Math.abs(offsetStep) < 1e-12) break
  }
  return { slope, offset }
}
