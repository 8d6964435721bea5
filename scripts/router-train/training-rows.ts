/** Examples as rows of numbers, made once and fitted many times. */
import { COUNT_NAMES } from '../../src/routing/features.ts'
import { ENCODER_DIMENSIONS } from '../../src/routing/head-file.ts'
import { BUCKETS, frequencyValue, NgramCounter } from '../../src/routing/ngram-counter.ts'
import type { Example } from './outcome-sets.ts'
import type { SparseRows } from './ridge.ts'

export interface TrainingRows {
  readonly examples: readonly Example[]
  /** N-grams, then the intercept. */
  readonly words: SparseRows
  /** Counts less their mean, each with the deviation `COUNT_SCALE`, then the intercept. */
  readonly counts: SparseRows
  /** The encoder's vectors, then the intercept; absent = trained without it. */
  readonly encoder: SparseRows | undefined
  readonly countMeans: Float64Array
  /** What one unit of a count is multiplied by; 0 = it never varies and gets no weight. */
  readonly countScales: Float64Array
}

export const COUNT_SCALE = 0.3
/** Vectors have length 1; this brings their parts to about the deviation of n-grams. */
export const ENCODER_SCALE = 3

/** `vectors[i]` is the encoder's vector of example i. */
export function makeRows(examples: readonly Example[], vectors?: readonly Float32Array[]): TrainingRows {
  const { means, scales } = standards(examples)
  return {
    examples,
    words: wordRows(examples),
    counts: denseRows(examples.length, COUNT_NAMES.length, (row, i) => {
      const count = examples[row]?.features.counts[i] as number
      return (count - (means[i] as number)) * (scales[i] as number)
    }),
    encoder:
      vectors &&
      denseRows(examples.length, ENCODER_DIMENSIONS, (row, i) => ENCODER_SCALE * (vectors[row]?.[i] as number)),
    countMeans: means,
    countScales: scales,
  }
}

function wordRows(examples: readonly Example[]): SparseRows {
  const ngrams = new NgramCounter()
  let entries = 0
  for (const { features } of examples) {
    ngrams.count(features.text)
    entries += ngrams.size + 1
  }
  const starts = new Uint32Array(examples.length + 1)
  const columns = new Uint32Array(entries)
  const values = new Float32Array(entries)
  let at = 0
  for (const [index, { features }] of examples.entries()) {
    ngrams.count(features.text)
    const from = at
    let squares = 0
    for (let i = 0; i < ngrams.size; i++) {
      const bucket = ngrams.touched[i] as number
      const value = frequencyValue(ngrams.counts[bucket] as number)
      squares += value * value
      columns[at] = bucket
      values[at++] = value
    }
    for (let i = from; i < at; i++) values[i] = (values[i] as number) / Math.sqrt(squares)
    columns[at] = BUCKETS
    values[at++] = 1
    starts[index + 1] = at
  }
  return { starts, columns, values, width: BUCKETS + 1 }
}

function denseRows(rows: number, width: number, valueAt: (row: number, column: number) => number): SparseRows {
  const stride = width + 1
  const values = new Float32Array(rows * stride)
  const columns = new Uint32Array(rows * stride)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < stride; i++) {
      columns[row * stride + i] = i
      values[row * stride + i] = i === width ? 1 : valueAt(row, i)
    }
  }
  return { starts: Uint32Array.from({ length: rows + 1 }, (_, row) => row * stride), columns, values, width: stride }
}

function standards(examples: readonly Example[]): { means: Float64Array; scales: Float64Array } {
  const means = new Float64Array(COUNT_NAMES.length)
  const scales = new Float64Array(COUNT_NAMES.length)
  for (let i = 0; i < COUNT_NAMES.length; i++) {
    const values = examples.map(({ features }) => features.counts[i] as number)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    means[i] = mean
    scales[i] = deviation > 1e-9 ? COUNT_SCALE / deviation : 0
  }
  return { means, scales }
}
