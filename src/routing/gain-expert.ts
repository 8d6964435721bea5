/** Predicts quality(big) - quality(small) for one kind of request and one pair of models: a few simple learners, added. */
import type { RoutingFeatures } from './features.ts'
import { treesSum, type BoostedTrees } from './boosted-trees.ts'
import { frequencyValue, type NgramCounter } from './ngram-counter.ts'

/** A count's share in a sum; outside of what training saw it counts as the nearest value seen. */
export interface CountWeights {
  readonly weights: Float32Array
  readonly lows: Float32Array
  readonly highs: Float32Array
}

/** What each learner counts for. Fitted on predictions for rows that the learners had not seen. */
export interface Mixture {
  readonly bias: number
  readonly words: number
  readonly counts: number
  readonly trees: number
  readonly encoder: number
}

export interface GainExpertParts {
  /** One per bucket; the true weight is this times `wordScale`. */
  readonly words: Int8Array
  readonly wordScale: number
  readonly counts: CountWeights
  readonly countBias: number
  readonly trees: BoostedTrees
  /** One per dimension of the encoder's vector. */
  readonly encoder: Float32Array
  readonly plain: Mixture
  /** Used where there is a vector. */
  readonly encoded: Mixture
}

/** Each learner's own sum, before the mixture: what an explanation shows. */
export interface GainTerms {
  readonly words: number
  readonly counts: number
  readonly trees: number
  readonly encoder: number
}

export function expertGain(
  parts: GainExpertParts,
  features: RoutingFeatures,
  ngrams: NgramCounter,
  vector: Float32Array | undefined,
): number {
  const { bias, words, counts, trees, encoder } = vector === undefined ? parts.plain : parts.encoded
  let gain = bias
  if (words !== 0) gain += words * wordsSum(parts, features.text, ngrams)
  if (counts !== 0) gain += counts * countsSum(parts, features.counts)
  if (trees !== 0) gain += trees * treesSum(parts.trees, features.counts)
  if (vector !== undefined && encoder !== 0) gain += encoder * dot(parts.encoder, vector)
  return gain
}

/** What each learner adds to the gain, bias left out. */
export function expertTerms(
  parts: GainExpertParts,
  features: RoutingFeatures,
  ngrams: NgramCounter,
  vector: Float32Array | undefined,
): GainTerms {
  const mixture = vector === undefined ? parts.plain : parts.encoded
  return {
    words: mixture.words * wordsSum(parts, features.text, ngrams),
    counts: mixture.counts * countsSum(parts, features.counts),
    trees: mixture.trees * treesSum(parts.trees, features.counts),
    encoder: vector === undefined ? 0 : mixture.encoder * dot(parts.encoder, vector),
  }
}

/** Product of the weights with the text's n-grams, sublinear in their number and of length 1. */
function wordsSum({ words, wordScale }: GainExpertParts, text: string, ngrams: NgramCounter): number {
  ngrams.count(text)
  const { touched, counts, size } = ngrams
  let product = 0
  let squares = 0
  for (let i = 0; i < size; i++) {
    const bucket = touched[i] as number
    const value = frequencyValue(counts[bucket] as number)
    product += value * (words[bucket] as number)
    squares += value * value
  }
  return squares === 0 ? 0 : (wordScale * product) / Math.sqrt(squares)
}

function countsSum({ counts: { weights, lows, highs }, countBias }: GainExpertParts, counts: Float64Array): number {
  let sum = countBias
  for (let i = 0; i < weights.length; i++) {
    sum += (weights[i] as number) * Math.min(highs[i] as number, Math.max(lows[i] as number, counts[i] as number))
  }
  return sum
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
