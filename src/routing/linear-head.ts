/** One trained linear head over hashed n-grams and counts: microseconds on one core, no model to load. */
import type { RoutingFeatures } from './features.ts'
import { BUCKETS, NgramCounter } from './ngram-counter.ts'

/** A count's share in the score; outside of what training saw it counts as the nearest value seen. */
export interface CountWeight {
  readonly weight: number
  readonly low: number
  readonly high: number
}

export interface LinearHeadParts {
  /** One per bucket; the true weight is this times `scale`. */
  readonly weights: Int16Array
  readonly scale: number
  /** In the order of `COUNT_NAMES`. */
  readonly counts: readonly CountWeight[]
  readonly bias: number
  /** Sum to probability: 1 / (1 + exp(-(slope x sum + offset))), after Platt (1999). */
  readonly slope: number
  readonly offset: number
}

export class LinearHead {
  readonly #parts: LinearHeadParts
  readonly #ngrams = new NgramCounter()

  /** Throws RangeError where the number of weights is not the number of buckets. */
  constructor(parts: LinearHeadParts) {
    if (parts.weights.length !== BUCKETS)
      throw new RangeError(`A head has ${BUCKETS} weights, not ${parts.weights.length}.`)
    this.#parts = parts
  }

  /** Score in 0..1; larger = the big model is more likely to do better. */
  score(features: RoutingFeatures): number {
    const { slope, offset } = this.#parts
    return 1 / (1 + Math.exp(-(slope * this.sum(features) + offset)))
  }

  /** The score before it is made a probability. */
  sum(features: RoutingFeatures): number {
    const { counts, bias, scale } = this.#parts
    let sum = bias + scale * this.#ngramMean(features.text)
    for (let i = 0; i < counts.length; i++) {
      const { weight, low, high } = counts[i] as CountWeight
      sum += weight * Math.min(high, Math.max(low, features.counts[i] as number))
    }
    return sum
  }

  /** Product of the weights with the text's n-grams, sublinear in their number and of length 1. */
  #ngramMean(text: string): number {
    const ngrams = this.#ngrams
    const { weights } = this.#parts
    ngrams.count(text)
    let product = 0
    let squares = 0
    for (let i = 0; i < ngrams.size; i++) {
      const bucket = ngrams.touched[i] as number
      const value = frequencyValue(ngrams.counts[bucket] as number)
      product += value * (weights[bucket] as number)
      squares += value * value
    }
    return squares === 0 ? 0 : product / Math.sqrt(squares)
  }
}

const FREQUENCIES = Float64Array.from({ length: 256 }, (_, count) => (count === 0 ? 0 : 1 + Math.log(count)))

/** 1 + ln(count): the tenth time a word is said tells less than the first. */
export function frequencyValue(count: number): number {
  return count < FREQUENCIES.length ? (FREQUENCIES[count] as number) : 1 + Math.log(count)
}
