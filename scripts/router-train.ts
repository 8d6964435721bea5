/**
 * `npm run router:train`: trains the gain heads from recorded outcomes and writes `router-models/gain-heads.{bin,json,md}`.
 * Needs the folder `shared/data/routing` beside the repository; the same data gives the same weights, byte for byte.
 * `--log FILE` learns from outcomes of one's own instead and writes `OUT.{bin,json,md}`. `--no-encoder` leaves the encoder's part out; `--quick` leaves out the figures for unseen sets.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encodeHeads } from '../src/routing/head-file.ts'
import { crossValidated, scoredWithout } from './router-train/judge.ts'
import { modelCard, type CardSet } from './router-train/model-card.ts'
import { examplesOf, readOutcomeFiles, readOutcomeLog, TRAINING_SETS } from './router-train/outcome-sets.ts'
import { gapCurve } from './router-train/ranking.ts'
import { strengthsOf } from './router-train/strengths.ts'
import { HeadTrainer } from './router-train/train-heads.ts'
import { makeRows } from './router-train/training-rows.ts'
import { vectorsOf } from './router-train/vectors.ts'
import { readOptions } from './support/read-options.ts'

const { values: options } = readOptions(
  `npm run router:train: trains the gain heads from ../shared/data/routing and writes router-models/gain-heads.{bin,json,md}.
--no-encoder  leaves the encoder's part out
--quick       leaves out the figures for unseen sets
--log FILE    learns from JSON lines {prompt, tools?, y: {model: quality 0..1}} instead, and from nothing else
--small NAME, --big NAME   the models of the log to choose between; else its weakest and its strongest
--out PATH    writes PATH.{bin,json,md}; needed with --log`,
  {
    'no-encoder': { type: 'boolean' },
    quick: { type: 'boolean' },
    log: { type: 'string' },
    small: { type: 'string' },
    big: { type: 'string' },
    out: { type: 'string' },
  },
)

const DATA = new URL('../../shared/data/routing/', import.meta.url)
const MODELS = new URL('../router-models/', import.meta.url)

async function main(): Promise<void> {
  progress('reading')
  const { log, small, big } = options
  if (log !== undefined && options.out === undefined)
    throw new Error('--log needs --out PATH: the shipped weights stay.')
  const out = options.out ?? fileURLToPath(new URL('gain-heads', MODELS))
  const models = { ...(small === undefined ? {} : { small }), ...(big === undefined ? {} : { big }) }
  const files = log === undefined ? readOutcomeFiles(DATA, TRAINING_SETS) : [readOutcomeLog(log, models)]
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
    const unseen =
      options.quick === true || log !== undefined
        ? undefined
        : scoredWithout(data, (row) => examples[row]?.set === file.set)
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
  writeFileSync(`${out}.bin`, heads.bin)
  writeFileSync(`${out}.json`, heads.json)
  writeFileSync(`${out}.md`, card)
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
