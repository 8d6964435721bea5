import { acceptanceFeatures } from '../../src/routing/cascade/acceptance.ts'
import type { Case } from '../../benchmarks/support/cascade-score.ts'
import { fitRidge, type SparseRows } from '../router-train/ridge.ts'

/** Pulls weights of cases that were seldom seen to nothing. */
const PENALTY = 2

/** Weights that predict quality(strong) - quality(weak) from what the live judge knows. */
export function fitAcceptance(cases: readonly Case[]): readonly number[] {
  const features = cases.map((one) => acceptanceFeatures(one.opinions, one.circumstances))
  const width = features[0]?.length ?? 0
  const rows: SparseRows = {
    starts: Uint32Array.from({ length: cases.length + 1 }, (_, i) => i * width),
    columns: Uint32Array.from({ length: cases.length * width }, (_, i) => i % width),
    values: Float32Array.from(features.flat()),
    width,
  }
  const weights = fitRidge({
    rows,
    use: Uint32Array.from(cases.keys()),
    targets: Float64Array.from(cases, (one) => one.strong - one.weak),
    rowWeights: new Float64Array(cases.length).fill(1),
    penalties: new Float64Array(width).fill(PENALTY),
    iterations: 200,
  })
  return Array.from(weights, (weight) => Number(weight.toFixed(5)))
}
