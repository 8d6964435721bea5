/**
 * `npm run router:train`: trains the gain heads from recorded outcomes and writes `router-models/gain-heads.{bin,json,md}`.
 * Needs the folder `shared/data/routing` beside the repository; the same data gives the same weights, byte for byte.
 * `--no-encoder` leaves the encoder's part out; `--quick` leaves out the figures for unseen sets.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { encodeHeads } from '../src/routing/head-file.ts'
import { crossValidated, scoredWithout } from './router-train/judge.ts'
import { modelCard, type CardSet } from './router-train/model-card.ts'
import { examplesOf, readOutcomeFiles, TRAINING_SETS } from './router-train/outcome-sets.ts'
import { gapCurve } from './router-train/ranking.ts'
import { strengthsOf } from './router-train/strengths.ts'
import { HeadTrainer } from './router-train/train-heads.ts'
import { makeRows } from './router-train/training-rows.ts'
import { vectorsOf } from './router-train/vectors.ts'
import { readOptions } from './support/read-options.ts'

const { values: options } = readOptions(
  `npm run router:train: trains the gain heads from ../shared/data/routing and writes router-models/gain-heads.{bin,json,md}.
--no-encoder  leaves the encoder's part out
--quick       leaves out the figures for unseen sets`,
  { 'no-encoder': { type: 'boolean' }, quick: { type: 'boolean' } },
)

const DATA = new URL('../../shared/data/routing/', import.meta.url)
const MODELS = new URL('../router-models/', import.meta.url)

async function main(): Promise<void> {
  progress('reading')
  const files = readOutcomeFiles(DATA, TRAINING_SETS)
  const examples = files.flatMap(({ set, pair, rows }) => examplesOf(set, pair, rows))
  const vectors =
    options['no-encoder'] === true
      ? undefined
      : await vectorsOf(
          examples.map(({ features }) => features.text),
          (done, of) => progress(`encoded ${done} of ${of} texts`),
        )
  const data = makeRows(examples, vectors)
  progress(`fitting experts to ${examples.length} outcomes`)
  const trainer = new HeadTrainer(data, [...examples.keys()])
  const heads = encodeHeads(trainer.parts(strengthsOf(files)))
  const validated = crossValidated(trainer)

  const apgrOf = (scores: ReadonlyMap<number, number>, rows: readonly number[]): number =>
    gapCurve(
      rows.map((row) => scores.get(row) as number),
      rows.map((row) => (examples[row]?.big ?? 0) - (examples[row]?.small ?? 0)),
    ).apgr
  const sets = files.map((file, i): CardSet => {
    progress(`unseen sets: ${i + 1} of ${files.length}`)
    const rows = [...examples.keys()].filter((row) => examples[row]?.set === file.set)
    const length = new Map(rows.map((row) => [row, examples[row]?.features.counts[0] as number]))
    const unseen = options.quick === true ? undefined : scoredWithout(data, (row) => examples[row]?.set === file.set)
    return {
      file,
      pair: examples[rows[0] as number]?.pair.name ?? '',
      rows: rows.length,
      length: apgrOf(length, rows),
      plain: apgrOf(validated.plain, rows),
      encoded: apgrOf(validated.encoded, rows),
      unseen: unseen && { plain: apgrOf(unseen.plain, rows), encoded: apgrOf(unseen.encoded, rows) },
    }
  })
  const card = modelCard(sets, trainer, createHash('sha256').update(heads.bin).digest('hex'), heads.bin.length)
  writeFileSync(new URL('gain-heads.bin', MODELS), heads.bin)
  writeFileSync(new URL('gain-heads.json', MODELS), heads.json)
  writeFileSync(new URL('gain-heads.md', MODELS), card)
  progress('')
  console.log(card)
}

/** One line that overwrites itself, for people only. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step}`)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
