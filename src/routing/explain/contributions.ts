/** What each word, count and learner added to an expected gain. Whatever is listed adds up to the gain. */
import { COUNT_NAMES, type RoutingFeatures } from '../features.ts'
import type { GainExpertParts, Mixture } from '../gain-expert.ts'
import { NEUTRAL_GAIN, type GainJudgement, type PairHead } from '../gain-heads.ts'
import { frequencyValue, NgramCounter } from '../ngram-counter.ts'
import { namedGrams } from './named-grams.ts'

export interface Contribution {
  /** `base` = what every request of this kind and pair starts from. */
  readonly of: 'base' | 'words' | 'counts' | 'trees' | 'encoder'
  /** A word, a pair of words, a count's name; several grams that share a bucket stand together. */
  readonly name: string
  /** Quality of big less quality of small, about -1..1: the gain's own unit. */
  readonly gain: number
  /** How often a gram stands in the text, or a count as it is (not its logarithm). */
  readonly value?: number
}

export interface ExplainedGain {
  readonly judgement: GainJudgement
  /** Largest effect first, the base before all. */
  readonly contributions: readonly Contribution[]
}

export function explainGain(head: PairHead, features: RoutingFeatures, vector?: Float32Array): ExplainedGain {
  const judgement = head.explain(features, vector)
  const { parts, shift, terms } = judgement
  if (parts === undefined) {
    const name = 'too long an ask to be judged: the usual gain'
    return { judgement, contributions: [{ of: 'base', name, gain: shift + NEUTRAL_GAIN }] }
  }
  const mixture = vector === undefined ? parts.plain : parts.encoded
  const base: Contribution = {
    of: 'base',
    name: 'where requests of this kind start',
    gain: shift + mixture.bias + mixture.counts * parts.countBias,
  }
  const rest: Contribution[] = [
    ...gramsOf(parts, mixture, features.text),
    ...countsOf(parts, mixture, features.counts),
    { of: 'trees', name: 'trees over the counts', gain: terms.trees },
    ...(vector === undefined ? [] : [{ of: 'encoder', name: 'meaning (encoder)', gain: terms.encoder } as const]),
  ]
  const mattering = rest.filter(({ gain }) => gain !== 0).sort((a, b) => Math.abs(b.gain) - Math.abs(a.gain))
  return { judgement, contributions: [base, ...mattering] }
}

function gramsOf({ words, wordScale }: GainExpertParts, mixture: Mixture, text: string): Contribution[] {
  const counter = new NgramCounter()
  counter.count(text)
  const buckets = [...counter.touched.subarray(0, counter.size)]
  const times = buckets.map((bucket) => counter.counts[bucket] as number)
  const length = Math.sqrt(times.reduce((sum, count) => sum + frequencyValue(count) ** 2, 0))
  const names = namedGrams(text)
  return buckets.map((bucket, i) => ({
    of: 'words',
    name: (names.get(bucket) ?? ['(unnamed)']).slice(0, 3).join(' / '),
    gain: (mixture.words * wordScale * (words[bucket] as number) * frequencyValue(times[i] as number)) / length,
    value: times[i] as number,
  }))
}

/** Counts that are means or shares and stand as they are; all others as ln(1 + x). */
const PLAIN_COUNTS: ReadonlySet<string> = new Set(['variety'])

function countsOf(
  { counts: { weights, lows, highs } }: GainExpertParts,
  mixture: Mixture,
  counts: Float64Array,
): Contribution[] {
  return [...weights].map((weight, i) => {
    const name = COUNT_NAMES[i] as string
    const count = counts[i] as number
    const within = Math.min(highs[i] as number, Math.max(lows[i] as number, count))
    return {
      of: 'counts',
      name: name.replaceAll('_', ' '),
      gain: mixture.counts * weight * within,
      value: PLAIN_COUNTS.has(name) ? count : Math.expm1(count),
    }
  })
}
