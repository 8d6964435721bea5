/** Fits one expert: four learners, and how they are added by their predictions for rows that they had not seen. */
import { treesSum, type BoostedTrees } from '../../src/routing/boosted-trees.ts'
import { COUNT_NAMES } from '../../src/routing/features.ts'
import type { GainExpertParts, Mixture } from '../../src/routing/gain-expert.ts'
import { ENCODER_DIMENSIONS } from '../../src/routing/head-file.ts'
import { BUCKETS } from '../../src/routing/ngram-counter.ts'
import { fitBoostedTrees } from './boosting.ts'
import { fitMixture, LEARNERS, sharedMixture, type LearnerShares, type LearnerSums } from './mixture.ts'
import { foldOf } from './outcome-sets.ts'
import { fitRidge, rowDot, type SparseRows } from './ridge.ts'
import { ENCODER_SCALE, type TrainingRows } from './training-rows.ts'

export interface ExpertSettings {
  readonly wordPenalty: number
  readonly countPenalty: number
  readonly encoderPenalty: number
  readonly iterations: number
  readonly trees: number
  readonly depth: number
  readonly rate: number
  readonly treePenalty: number
  /** Smallest share of the rows in a leaf, and smallest number. */
  readonly leafShare: number
  readonly leafRows: number
  /** What the learners count for, each brought to the same deviation, without and with a vector; absent = fitted. */
  readonly shares?: { readonly plain: LearnerShares; readonly encoded: LearnerShares }
}

/** Chosen once by cross-validation among a few values each. */
export const SETTINGS: ExpertSettings = {
  wordPenalty: 6,
  countPenalty: 60,
  encoderPenalty: 60,
  iterations: 25,
  trees: 200,
  depth: 4,
  rate: 0.06,
  treePenalty: 20,
  leafShare: 0.0015,
  leafRows: 15,
}

/**
 * Of all pairs and kinds together. Its work is on data that nobody has seen, and there flexible learners do harm: chosen by leaving
 * whole sets out, not by folds inside of them.
 */
export const GENERAL_SETTINGS: ExpertSettings = {
  ...SETTINGS,
  wordPenalty: 60,
  countPenalty: 1000,
  encoderPenalty: 600,
  trees: 0,
  shares: {
    plain: { words: 0.5, counts: 1, trees: 0, encoder: 0 },
    encoded: { words: 0.4, counts: 1, trees: 0, encoder: 0.6 },
  },
}

export const FOLDS = 5

/** Rows to learn from, with what is to be learned; both indexed by row of the data. */
export interface Lesson {
  readonly use: Uint32Array
  readonly targets: Float64Array
  readonly rowWeights: Float64Array
}

interface Learners {
  readonly words: Float64Array
  readonly counts: Float64Array
  readonly trees: BoostedTrees
  readonly encoder: Float64Array | undefined
}

export interface FittedExpert {
  readonly learners: Learners
  readonly plain: Mixture
  readonly encoded: Mixture
  readonly lesson: Lesson
  /** Prediction for each row of `lesson.use`, in its order, by learners and a mixture that saw neither it nor its question. */
  readonly unseen: { readonly plain: Float64Array; readonly encoded: Float64Array }
}

export function fitExpert(data: TrainingRows, lesson: Lesson, settings: ExpertSettings = SETTINGS): FittedExpert {
  const { use, targets, rowWeights } = lesson
  const fold = Uint8Array.from(use, (row) => foldOf(data.examples[row]?.stem ?? '', FOLDS))
  const sums: LearnerSums = Object.fromEntries(
    LEARNERS.map((name) => [name, new Float64Array(use.length)]),
  ) as unknown as LearnerSums
  for (let tested = 0; tested < FOLDS; tested++) {
    const learners = fitLearners(data, { ...lesson, use: use.filter((_, i) => fold[i] !== tested) }, settings)
    for (const [i, row] of use.entries()) {
      if (fold[i] !== tested) continue
      const own = sumsOf(data, row, learners)
      for (const name of LEARNERS) sums[name][i] = own[name]
    }
  }
  const own = {
    targets: Float64Array.from(use, (row) => targets[row] as number),
    weights: Float64Array.from(use, (row) => rowWeights[row] as number),
  }
  const mixtureOf = (isUsed: (i: number) => boolean, withEncoder: boolean): Mixture =>
    settings.shares === undefined
      ? fitMixture(sums, own.targets, own.weights, isUsed, withEncoder)
      : sharedMixture(sums, own.targets, own.weights, isUsed, settings.shares[withEncoder ? 'encoded' : 'plain'])
  const unseenOf = (withEncoder: boolean): Float64Array => {
    const mixtures = Array.from({ length: FOLDS }, (_, tested) => mixtureOf((i) => fold[i] !== tested, withEncoder))
    return Float64Array.from(use, (_, i) =>
      mixed(mixtures[fold[i] as number] as Mixture, (name) => sums[name][i] as number),
    )
  }
  return {
    learners: fitLearners(data, lesson, settings),
    plain: mixtureOf(() => true, false),
    encoded: mixtureOf(() => true, true),
    lesson,
    unseen: { plain: unseenOf(false), encoded: unseenOf(true) },
  }
}

/** Prediction for any row of the data. */
export function expertSum(data: TrainingRows, row: number, expert: FittedExpert, form: 'plain' | 'encoded'): number {
  const sums = sumsOf(data, row, expert.learners)
  return mixed(expert[form], (name) => sums[name])
}

function mixed(mixture: Mixture, sumOf: (learner: (typeof LEARNERS)[number]) => number): number {
  let sum = mixture.bias
  for (const name of LEARNERS) if (mixture[name] !== 0) sum += mixture[name] * sumOf(name)
  return sum
}

function fitLearners(data: TrainingRows, { use, targets, rowWeights }: Lesson, settings: ExpertSettings): Learners {
  const ridge = (rows: SparseRows, penalty: number): Float64Array => {
    const penalties = new Float64Array(rows.width).fill(penalty)
    penalties[rows.width - 1] = 0
    return fitRidge({ rows, use, targets, rowWeights, penalties, iterations: settings.iterations })
  }
  return {
    words: ridge(data.words, settings.wordPenalty),
    counts: ridge(data.counts, settings.countPenalty),
    encoder: data.encoder && ridge(data.encoder, settings.encoderPenalty),
    trees: fitBoostedTrees({
      rows: data.examples.map(({ features }) => features.counts),
      use,
      targets: centred(targets, use, rowWeights),
      rowWeights,
      trees: settings.trees,
      depth: settings.depth,
      rate: settings.rate,
      penalty: settings.treePenalty,
      leafWeight: Math.max(settings.leafRows, settings.leafShare * use.length),
    }),
  }
}

function centred(targets: Float64Array, use: Uint32Array, rowWeights: Float64Array): Float64Array {
  let sum = 0
  let weight = 0
  for (const row of use) {
    sum += (rowWeights[row] as number) * (targets[row] as number)
    weight += rowWeights[row] as number
  }
  return targets.map((target) => target - sum / weight)
}

function sumsOf(data: TrainingRows, row: number, learners: Learners): Record<(typeof LEARNERS)[number], number> {
  return {
    words: rowDot(data.words, row, learners.words),
    counts: rowDot(data.counts, row, learners.counts),
    trees: treesSum(learners.trees, data.examples[row]?.features.counts as Float64Array),
    encoder:
      data.encoder === undefined || learners.encoder === undefined ? 0 : rowDot(data.encoder, row, learners.encoder),
  }
}

/** The expert as it is served: n-gram weights in 8 bits, counts back on their own scale, intercepts in the mixture's bias. */
export function partsOf(data: TrainingRows, { learners, plain, encoded, lesson }: FittedExpert): GainExpertParts {
  const { words, counts, trees, encoder } = learners
  let largest = 0
  for (let i = 0; i < BUCKETS; i++) largest = Math.max(largest, Math.abs(words[i] as number))
  const wordScale = largest === 0 ? 1 : largest / 127
  const width = COUNT_NAMES.length
  const weights = new Float32Array(width)
  const lows = new Float32Array(width).fill(Number.POSITIVE_INFINITY)
  const highs = new Float32Array(width).fill(Number.NEGATIVE_INFINITY)
  let countBias = counts[width] as number
  for (let i = 0; i < width; i++) {
    weights[i] = (counts[i] as number) * (data.countScales[i] as number)
    countBias -= (weights[i] as number) * (data.countMeans[i] as number)
    for (const row of lesson.use) {
      const value = data.examples[row]?.features.counts[i] as number
      lows[i] = Math.min(lows[i] as number, value)
      highs[i] = Math.max(highs[i] as number, value)
    }
  }
  const biasOf = (mixture: Mixture): Mixture => ({
    ...mixture,
    bias:
      mixture.bias +
      mixture.words * (words[BUCKETS] as number) +
      mixture.encoder * (encoder?.[ENCODER_DIMENSIONS] ?? 0),
  })
  return {
    words: Int8Array.from({ length: BUCKETS }, (_, i) => Math.round((words[i] as number) / wordScale)),
    wordScale,
    counts: { weights, lows, highs },
    countBias,
    trees,
    encoder: Float32Array.from({ length: ENCODER_DIMENSIONS }, (_, i) => ENCODER_SCALE * (encoder?.[i] ?? 0)),
    plain: biasOf(plain),
    encoded: biasOf(encoded),
  }
}
