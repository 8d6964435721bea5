/** Gradient boosting with squared loss on columns in bins: small trees, no sampling, the same bytes every time. */
import type { BoostedTrees } from '../../src/routing/boosted-trees.ts'

export interface BoostingProblem {
  /** One array of counts per row. */
  readonly rows: readonly ArrayLike<number>[]
  readonly use: Uint32Array
  /** Of each row of `rows`. */
  readonly targets: Float64Array
  readonly rowWeights: Float64Array
  readonly trees: number
  readonly depth: number
  readonly rate: number
  /** Added to the weight of every leaf: few rows move it little. */
  readonly penalty: number
  /** Smallest weight of rows in a leaf. */
  readonly leafWeight: number
}

/** Values of a column are told apart by at most this many thresholds. */
const BINS = 48

export function fitBoostedTrees(problem: BoostingProblem): BoostedTrees {
  const { rows, use, targets, rowWeights, trees, depth, rate, penalty, leafWeight } = problem
  const width = rows[0]?.length ?? 0
  const cuts = Array.from({ length: width }, (_, column) => cutsOf(rows, use, column))
  const n = use.length
  const bins = cuts.map((cut, column) =>
    Uint8Array.from(use, (row) => binOf(cut, Math.fround(rows[row]?.[column] as number))),
  )
  const varied = cuts.flatMap((cut, column) => (cut.length > 0 ? [column] : []))
  const residual = Float64Array.from(use, (row) => targets[row] as number)
  const weight = Float64Array.from(use, (row) => rowWeights[row] as number)
  const inner = (1 << depth) - 1
  const features = new Uint8Array(trees * inner)
  const thresholds = new Float32Array(trees * inner).fill(Number.POSITIVE_INFINITY)
  const leaves = new Float32Array(trees * (inner + 1))
  const node = new Uint8Array(n)
  for (let tree = 0; tree < trees; tree++) {
    node.fill(0)
    for (let level = 0; level < depth; level++) {
      const first = (1 << level) - 1
      const width = 1 << level
      const best = Array.from({ length: width }, () => ({ gain: 1e-9, column: -1, bin: 0 }))
      for (const column of varied) {
        const columnBins = bins[column] as Uint8Array
        const cells = (cuts[column] as Float32Array).length + 1
        const sums = new Float64Array(width * cells)
        const weights = new Float64Array(width * cells)
        for (let i = 0; i < n; i++) {
          const cell = ((node[i] as number) - first) * cells + (columnBins[i] as number)
          const w = weight[i] as number
          sums[cell] = (sums[cell] as number) + w * (residual[i] as number)
          weights[cell] = (weights[cell] as number) + w
        }
        for (let at = 0; at < width; at++) {
          let total = 0
          let totalWeight = 0
          for (let c = at * cells; c < (at + 1) * cells; c++) {
            total += sums[c] as number
            totalWeight += weights[c] as number
          }
          const whole = (total * total) / (totalWeight + penalty)
          let left = 0
          let leftWeight = 0
          for (let bin = 0; bin < cells - 1; bin++) {
            left += sums[at * cells + bin] as number
            leftWeight += weights[at * cells + bin] as number
            if (leftWeight < leafWeight || totalWeight - leftWeight < leafWeight) continue
            const right = total - left
            const gain =
              (left * left) / (leftWeight + penalty) + (right * right) / (totalWeight - leftWeight + penalty) - whole
            const sofar = best[at] as { gain: number; column: number; bin: number }
            if (gain > sofar.gain) best[at] = { gain, column, bin }
          }
        }
      }
      for (const [at, { column, bin }] of best.entries()) {
        if (column === -1) continue
        features[tree * inner + first + at] = column
        thresholds[tree * inner + first + at] = (cuts[column] as Float32Array)[bin] as number
      }
      for (let i = 0; i < n; i++) {
        const { column, bin } = best[(node[i] as number) - first] as { column: number; bin: number }
        const goesRight = column !== -1 && ((bins[column] as Uint8Array)[i] as number) > bin
        node[i] = 2 * (node[i] as number) + (goesRight ? 2 : 1)
      }
    }
    const sums = new Float64Array(inner + 1)
    const weights = new Float64Array(inner + 1)
    for (let i = 0; i < n; i++) {
      const leaf = (node[i] as number) - inner
      sums[leaf] = (sums[leaf] as number) + (weight[i] as number) * (residual[i] as number)
      weights[leaf] = (weights[leaf] as number) + (weight[i] as number)
    }
    const from = tree * (inner + 1)
    for (let leaf = 0; leaf <= inner; leaf++) {
      leaves[from + leaf] = (rate * (sums[leaf] as number)) / ((weights[leaf] as number) + penalty)
    }
    for (let i = 0; i < n; i++) {
      residual[i] = (residual[i] as number) - (leaves[from + (node[i] as number) - inner] as number)
    }
  }
  return { depth, features, thresholds, leaves }
}

/** Thresholds between the quantiles of a column, in rising order. */
function cutsOf(rows: readonly ArrayLike<number>[], use: Uint32Array, column: number): Float32Array {
  const values = Float32Array.from(use, (row) => rows[row]?.[column] as number).sort()
  const cuts: number[] = []
  for (let bin = 1; bin < BINS; bin++) {
    const at = Math.floor((bin * values.length) / BINS)
    const value = values[at] as number
    const next = values.subarray(at).find((other) => other > value)
    if (next === undefined) break
    const cut = Math.fround((value + next) / 2)
    if (cut >= value && cut < next && cut !== cuts.at(-1)) cuts.push(cut)
  }
  return Float32Array.from(cuts)
}

/** How many cuts lie below `value`. */
function binOf(cuts: Float32Array, value: number): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((cuts[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
