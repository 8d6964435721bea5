/** How much each learner counts: non-negative least squares on predictions for unseen rows. */
import type { Mixture } from '../../src/routing/gain-expert.ts'

export const LEARNERS = ['words', 'counts', 'trees', 'encoder'] as const
export type LearnerShares = Readonly<Record<(typeof LEARNERS)[number], number>>
export type LearnerSums = Readonly<Record<(typeof LEARNERS)[number], Float64Array>>

/** Pulls the weights of learners together: few rows are no reason to trust one alone. In rows. */
const TOGETHER = 60
const ROUNDS = 200

export function fitMixture(
  sums: LearnerSums,
  targets: Float64Array,
  weights: Float64Array,
  isUsed: (row: number) => boolean,
  withEncoder: boolean,
): Mixture {
  const names = withEncoder ? LEARNERS : LEARNERS.filter((name) => name !== 'encoder')
  const rows = [...targets.keys()].filter(isUsed)
  const meanOf = (values: Float64Array): number => {
    let sum = 0
    let weight = 0
    for (const row of rows) {
      sum += (weights[row] as number) * (values[row] as number)
      weight += weights[row] as number
    }
    return weight === 0 ? 0 : sum / weight
  }
  const centre = meanOf(targets)
  const learners = names.map((name) => {
    const mean = meanOf(sums[name])
    let squares = 0
    for (const row of rows) squares += (weights[row] as number) * ((sums[name][row] as number) - mean) ** 2
    const deviation = Math.sqrt(squares / Math.max(1, rows.length))
    return { values: sums[name], mean, scale: deviation > 1e-12 ? 1 / deviation : 0 }
  })
  const at = (i: number, row: number): number => {
    const { values, mean, scale } = learners[i] as (typeof learners)[number]
    return ((values[row] as number) - mean) * scale
  }
  const product = (f: (row: number) => number, g: (row: number) => number): number => {
    let sum = 0
    for (const row of rows) sum += (weights[row] as number) * f(row) * g(row)
    return sum
  }
  const with_ = names.map((_, i) =>
    product(
      (row) => at(i, row),
      (row) => (targets[row] as number) - centre,
    ),
  )
  const grid = names.map((_, i) =>
    names.map((__, j) =>
      product(
        (row) => at(i, row),
        (row) => at(j, row),
      ),
    ),
  )
  const solution = names.map(() => 0)
  // Coordinate descent; the penalty is on the distance from the learners' mean weight.
  for (let round = 0; round < ROUNDS; round++) {
    const mean = solution.reduce((sum, value) => sum + value, 0) / solution.length
    for (const i of solution.keys()) {
      if (learners[i]?.scale === 0) continue
      let rest = with_[i] as number
      for (const j of solution.keys()) if (j !== i) rest -= (grid[i]?.[j] as number) * (solution[j] as number)
      solution[i] = Math.max(0, (rest + TOGETHER * mean) / ((grid[i]?.[i] as number) + TOGETHER))
    }
  }
  const mixture = { words: 0, counts: 0, trees: 0, encoder: 0 }
  let bias = centre
  for (const [i, name] of names.entries()) {
    const { mean, scale } = learners[i] as (typeof learners)[number]
    mixture[name] = (solution[i] as number) * scale
    bias -= mixture[name] * mean
  }
  return { bias, ...mixture }
}

/** How much of a slope that was found on rows of known sets is left where a set is new: about half, by leaving sets out. */
const TRANSFER = 0.5

/** Learners in given shares, each brought to deviation 1; only the slope and the level of their sum are fitted. */
export function sharedMixture(
  sums: LearnerSums,
  targets: Float64Array,
  weights: Float64Array,
  isUsed: (row: number) => boolean,
  shares: LearnerShares,
): Mixture {
  const rows = [...targets.keys()].filter(isUsed)
  const weight = rows.reduce((sum, row) => sum + (weights[row] as number), 0)
  const meanOf = (valueAt: (row: number) => number): number =>
    rows.reduce((sum, row) => sum + (weights[row] as number) * valueAt(row), 0) / weight
  const scaled = LEARNERS.map((name) => {
    const mean = meanOf((row) => sums[name][row] as number)
    const deviation = Math.sqrt(meanOf((row) => ((sums[name][row] as number) - mean) ** 2))
    return { name, mean, scale: deviation > 1e-12 ? shares[name] / deviation : 0 }
  })
  const sumAt = (row: number): number =>
    scaled.reduce((sum, { name, mean, scale }) => sum + scale * ((sums[name][row] as number) - mean), 0)
  const centre = meanOf((row) => targets[row] as number)
  const square = meanOf((row) => sumAt(row) ** 2)
  const product = meanOf((row) => sumAt(row) * ((targets[row] as number) - centre))
  const slope = square > 0 ? (TRANSFER * Math.max(0, product)) / square : 0
  const mixture = { words: 0, counts: 0, trees: 0, encoder: 0 }
  let bias = centre
  for (const { name, mean, scale } of scaled) {
    mixture[name] = slope * scale
    bias -= mixture[name] * mean
  }
  return { bias, ...mixture }
}

/** Says the same of every request. */
export function constantMixture(value: number): Mixture {
  return { bias: value, words: 0, counts: 0, trees: 0, encoder: 0 }
}
