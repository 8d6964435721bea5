/**
 * `npm run docs:curves`: draws docs/images/routing-*.svg from the recorded outcomes of ../shared/data/routing, each row scored by heads
 * that saw neither it nor its question; needs minutes. Says what would change; `--write` writes it. `--encoder` uses the encoder's vectors.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from '../src/report/line-chart.ts'
import { recordedChart } from './docs-curves/recorded-chart.ts'
import { crossValidated } from './router-train/judge.ts'
import { examplesOf, readOutcomeFiles, TRAINING_SETS, type Example } from './router-train/outcome-sets.ts'
import { HeadTrainer } from './router-train/train-heads.ts'
import { makeRows } from './router-train/training-rows.ts'
import { vectorsOf } from './router-train/vectors.ts'

const DATA = new URL('../../shared/data/routing/', import.meta.url)
const IMAGES = new URL('../docs/images/', import.meta.url)
/** Sets that are drawn; all of them train the heads. */
const DRAWN = ['routellm_mmlu', 'routellm_gsm8k', 'bfcl_v1', 'mmlu_pro', 'routerbench_subset']

const isWriting = process.argv.includes('--write')
const hasEncoder = process.argv.includes('--encoder')
const examples = readOutcomeFiles(DATA, TRAINING_SETS).flatMap((file) => examplesOf(file.set, file.pair, file.rows))
const vectors = hasEncoder
  ? await vectorsOf(
      examples.map(({ features }) => features.text),
      () => {},
    )
  : undefined
const scores = crossValidated(new HeadTrainer(makeRows(examples, vectors), [...examples.keys()]))[
  hasEncoder ? 'encoded' : 'plain'
]
mkdirSync(IMAGES, { recursive: true })
for (const set of DRAWN) {
  const at = [...examples.keys()].filter((row) => examples[row]?.set === set)
  const rows = at.map((row) => examples[row] as Example)
  const chart = recordedChart(
    set,
    rows,
    at.map((row) => scores.get(row) as number),
  )
  const path = new URL(`routing-${set.replaceAll('_', '-')}.svg`, IMAGES)
  const svg = drawChart(chart)
  const isSame = existsSync(path) && readFileSync(path, 'utf8') === svg
  console.log(`${path.pathname.split('/').at(-1)}: ${isSame ? 'unchanged' : isWriting ? 'written' : 'would change'}`)
  if (isWriting && !isSame) writeFileSync(path, svg)
}
