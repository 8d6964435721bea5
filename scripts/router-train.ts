/**
 * `npm run router:train`: trains the first router from recorded outcomes and writes `router-models/first-router.{bin,json,md}`.
 * Needs the folder `shared/data/routing` beside the repository; the same data gives the same weights, byte for byte.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { createHash } from 'node:crypto'
import { LinearHead } from '../src/routing/linear-head.ts'
import { encodeHead } from '../src/routing/head-file.ts'
import { evaluate } from './router-train/evaluate.ts'
import { modelCard } from './router-train/model-card.ts'
import { readExamples, type Example } from './router-train/outcome-sets.ts'
import { fitProbability, fitWeights, headOf, makeRows } from './router-train/train-head.ts'
import { readOptions } from './support/read-options.ts'

readOptions(
  'npm run router:train: trains the router from ../shared/data/routing and writes router-models/first-router.{bin,json,md}. No options.',
  {},
)

const DATA = new URL('../../shared/data/routing/', import.meta.url)
/** Enough for a rank within 3 points, few enough to be forgotten after a hundred requests. */
const USUAL_SCORES = 32
const MODELS = new URL('../router-models/', import.meta.url)

function main(): void {
  progress('reading')
  const examples = readExamples(DATA)
  progress(`counting n-grams of ${examples.length} prompts`)
  const data = makeRows(examples)
  const evaluation = evaluate(data, (done, of) => progress(`fit ${done} of ${of + 1}`))

  const weights = fitWeights(data, Uint32Array.from(examples.keys()))
  const parts = headOf(data, weights, fitProbability(evaluation.sums, examples.map(bigIsBetter)))
  const scores = scoresOf(new LinearHead(parts), examples)
  const quantile = (share: number): number => scores[Math.floor(share * scores.length)] as number
  const files = encodeHead(parts, {
    meanScore: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    usualScores: Array.from({ length: USUAL_SCORES }, (_, i) => quantile((i + 0.5) / USUAL_SCORES)),
  })
  const card = modelCard({
    sets: evaluation.sets,
    mixed: evaluation.mixed,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
    weightsSha256: createHash('sha256').update(files.bin).digest('hex'),
    scoreQuantiles: [0.1, 0.5, 0.9].map(quantile),
  })
  writeFileSync(new URL('first-router.bin', MODELS), files.bin)
  writeFileSync(new URL('first-router.json', MODELS), files.json)
  writeFileSync(new URL('first-router.md', MODELS), card)
  progress('')
  console.log(card)
}

function bigIsBetter({ big, small }: Example): boolean {
  return big > small
}

/** In rising order. */
function scoresOf(head: LinearHead, examples: readonly Example[]): Float64Array {
  return Float64Array.from(examples, ({ features }) => head.score(features)).sort()
}

/** One line that overwrites itself, for people only. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step}`)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
