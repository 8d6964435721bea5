/** What the encoder's vector is worth by how many requests may ask for it: where the default band of `routing/policy.ts` comes from. */
import { crossValidated } from '../scripts/router-train/judge.ts'
import { examplesOf, readOutcomeFiles, TRAINING_SETS, type Example } from '../scripts/router-train/outcome-sets.ts'
import { HeadTrainer } from '../scripts/router-train/train-heads.ts'
import { makeRows } from '../scripts/router-train/training-rows.ts'
import { vectorsOf } from '../scripts/router-train/vectors.ts'
import { readOptions } from '../scripts/support/read-options.ts'
import { gainsOf } from './support/router-lines.ts'

readOptions(
  `node benchmarks/encoder-share.ts: what asking the encoder is worth, by the width of the band around the threshold in which it is
asked. Cross-validated on ../shared/data/routing; needs minutes. No options.`,
  {},
)

/** Half widths in ranks: a request whose rank is this near to the threshold asks. 1 = all do. */
const BANDS = [0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 1]
const SHARES = Array.from({ length: 9 }, (_, i) => (i + 1) / 10)
const DATA = new URL('../../shared/data/routing/', import.meta.url)

const files = readOutcomeFiles(DATA, TRAINING_SETS)
const examples = files.flatMap((file) => examplesOf(file.set, file.pair, file.rows))
const vectors = await vectorsOf(
  examples.map(({ features }) => features.text),
  () => {},
)
const { plain, encoded } = crossValidated(new HeadTrainer(makeRows(examples, vectors), [...examples.keys()]))

const table = Object.fromEntries(
  files.map(({ set }) => {
    const rows = [...examples.keys()].filter((row) => examples[row]?.set === set)
    const of = (scores: ReadonlyMap<number, number>): number[] => rows.map((row) => scores.get(row) as number)
    const gains = gainsOf(rows.map((row) => examples[row] as Example))
    const figures = BANDS.map((band) => {
      const points = SHARES.map((share) => recovered(of(plain), of(encoded), gains, share, band))
      const mean = (pick: (point: Point) => number): number =>
        points.reduce((sum, point) => sum + pick(point), 0) / points.length
      return [band, `${mean(({ gap }) => gap).toFixed(4)} (${(100 * mean(({ asked }) => asked)).toFixed(0)} % ask)`]
    })
    return [`${set} (n = ${rows.length})`, Object.fromEntries(figures)] as const
  }),
)
console.log('Mean part of the quality gap recovered at 10, 20, … 90 % big calls, by half width of the band in ranks:')
console.table(table)

interface Point {
  readonly gap: number
  readonly asked: number
}

/** Part of the gap that is recovered where the `share` of rows with the highest scores go up, those near the threshold by their encoded score. */
function recovered(
  plain: readonly number[],
  encoded: readonly number[],
  gains: readonly number[],
  share: number,
  band: number,
): Point {
  const sorted = plain.toSorted((a, b) => a - b)
  const at = (rank: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(rank * sorted.length)))] as number
  const low = band >= 1 ? Number.NEGATIVE_INFINITY : at(1 - share - band)
  const high = band >= 1 ? Number.POSITIVE_INFINITY : at(1 - share + band)
  let asked = 0
  const final = plain.map((score, row) => {
    if (band === 0 || score < low || score > high) return score
    asked++
    return encoded[row] as number
  })
  const order = [...final.keys()].sort((a, b) => (final[b] as number) - (final[a] as number))
  const sum = (rows: readonly number[]): number => rows.reduce((all, row) => all + (gains[row] as number), 0)
  const all = sum(order)
  return { gap: sum(order.slice(0, Math.round(share * order.length))) / all, asked: asked / plain.length }
}
