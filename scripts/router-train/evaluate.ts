/** Cross-validated figures per data set, beside chance and prompt length. */
import { areaUnderRoc, gapCurve, type GapCurve } from './ranking.ts'
import { foldOf, type Example } from './outcome-sets.ts'
import { fitWeights, sumOf, type TrainingRows } from './train-head.ts'

export const FOLDS = 5

export interface Line extends GapCurve {
  /** AUC of "the big model did better" against all other rows. */
  readonly aucGain: number
  /** AUC of "better" against "worse", rows where both did alike left out. */
  readonly aucSign: number
}

export interface SetFigures {
  readonly set: string
  readonly rows: number
  readonly small: number
  readonly big: number
  /** Scores of the five folds together; each row was scored by a head that saw neither it nor its question. */
  readonly head: Line
  /** Standard deviation of APGR over the folds. */
  readonly foldSpread: number
  /**
   * A head trained on all other sets, without this one's questions: what to expect of new kinds of traffic. Of all sets
   * together: every row by the head that did not see its set.
   */
  readonly unseen: Line
  readonly length: Line
  /** Standard deviation of a random order's APGR, whose mean is 0.5: what a difference must exceed to mean anything. */
  readonly chanceSpread: number
}

export interface Evaluation {
  readonly sets: readonly SetFigures[]
  /** All sets as one stream of requests. */
  readonly mixed: SetFigures
  /** Out-of-fold sum of every row, in row order. */
  readonly sums: Float64Array
}

/** `progress` hears how many of the fits are done. */
export function evaluate(data: TrainingRows, progress: (done: number, of: number) => void): Evaluation {
  const { examples } = data
  const sets = [...new Set(examples.map(({ set }) => set))]
  const fits = FOLDS + sets.length
  let done = 0
  const fitAndSum = (isTraining: (example: Example) => boolean, isTested: (example: Example) => boolean): void => {
    const weights = fitWeights(data, indicesOf(examples, isTraining))
    for (const row of indicesOf(examples, isTested)) into[row] = sumOf(data, row, weights)
    progress(++done, fits)
  }

  const folds = new Map(examples.map(({ stem }) => [stem, foldOf(stem, FOLDS)]))
  const sums = new Float64Array(examples.length)
  let into = sums
  for (let fold = 0; fold < FOLDS; fold++) {
    fitAndSum(
      ({ stem }) => folds.get(stem) !== fold,
      ({ stem }) => folds.get(stem) === fold,
    )
  }
  const unseenSums = new Float64Array(examples.length)
  into = unseenSums
  for (const set of sets) {
    const stems = new Set(examples.filter((example) => example.set === set).map(({ stem }) => stem))
    fitAndSum(
      (example) => example.set !== set && !stems.has(example.stem),
      (example) => example.set === set,
    )
  }
  const figures = (name: string, rows: Uint32Array): SetFigures =>
    figuresOf(name, [...rows], examples, folds, sums, unseenSums)
  return {
    sums,
    sets: sets.map((set) =>
      figures(
        set,
        indicesOf(examples, (example) => example.set === set),
      ),
    ),
    mixed: figures('all together', Uint32Array.from(examples.keys())),
  }
}

function figuresOf(
  set: string,
  rows: readonly number[],
  examples: readonly Example[],
  folds: ReadonlyMap<string, number>,
  sums: Float64Array,
  unseenSums: Float64Array,
): SetFigures {
  const gains = rows.map((row) => gainOf(examples[row] as Example))
  const pick = (values: Float64Array): number[] => rows.map((row) => values[row] as number)
  const perFold = Array.from({ length: FOLDS }, (_, fold) => {
    const inFold = rows.filter((row) => folds.get((examples[row] as Example).stem) === fold)
    return gapCurve(
      inFold.map((row) => sums[row] as number),
      inFold.map((row) => gainOf(examples[row] as Example)),
    ).apgr
  })
  return {
    set,
    rows: rows.length,
    small: average(rows.map((row) => (examples[row] as Example).small)),
    big: average(rows.map((row) => (examples[row] as Example).big)),
    head: lineOf(pick(sums), gains),
    foldSpread: deviation(perFold),
    unseen: lineOf(pick(unseenSums), gains),
    length: lineOf(
      rows.map((row) => (examples[row] as Example).features.counts[0] as number),
      gains,
    ),
    chanceSpread: deviation(randomOrders(gains)),
  }
}

function lineOf(scores: readonly number[], gains: readonly number[]): Line {
  const decided = gains.map((gain, i) => ({ gain, score: scores[i] as number })).filter(({ gain }) => gain !== 0)
  return {
    ...gapCurve(scores, gains),
    aucGain: areaUnderRoc(
      scores,
      gains.map((gain) => gain > 0),
    ),
    aucSign: areaUnderRoc(
      decided.map(({ score }) => score),
      decided.map(({ gain }) => gain > 0),
    ),
  }
}

const CHANCE_ORDERS = 40

/** APGR of random orders; the same ones every time. */
function randomOrders(gains: readonly number[]): number[] {
  let state = 1
  // Numerical Recipes' linear congruential generator: repeatable is all that is asked of it.
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  return Array.from(
    { length: CHANCE_ORDERS },
    () =>
      gapCurve(
        gains.map(() => next()),
        gains,
      ).apgr,
  )
}

function gainOf({ big, small }: Example): number {
  return big - small
}

function indicesOf(examples: readonly Example[], isWanted: (example: Example) => boolean): Uint32Array {
  return Uint32Array.from([...examples.keys()].filter((row) => isWanted(examples[row] as Example)))
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values: readonly number[]): number {
  const mean = average(values)
  return Math.sqrt(average(values.map((value) => (value - mean) ** 2)))
}
