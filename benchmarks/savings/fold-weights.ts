/** Weights of which no row of a fold's questions was part: gain heads and the head that believes agreement. Kept in a git-ignored folder. */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fitAcceptance } from '../../scripts/cascade-train/fit-acceptance.ts'
import {
  examplesOf,
  foldOf,
  readOutcomeFiles,
  stemOf,
  TRAINING_SETS,
  type OutcomeFile,
} from '../../scripts/router-train/outcome-sets.ts'
import { strengthsOf } from '../../scripts/router-train/strengths.ts'
import { HeadTrainer } from '../../scripts/router-train/train-heads.ts'
import { makeRows } from '../../scripts/router-train/training-rows.ts'
import { vectorsOf } from '../../scripts/router-train/vectors.ts'
import { encodeHeads } from '../../src/routing/head-file.ts'
import { casesOf, type CascadePair } from '../support/cascade-score.ts'
import type { CascadeRow } from '../support/recorded-cascade.ts'

export const FOLDS = 5

/** The fold of a prompt: every wording of a question, in whatever set, is in the same one. */
export function foldOfPrompt(prompt: string): number {
  return foldOf(stemOf(prompt), FOLDS)
}

/** Of the weights that ship: for questions that these have not seen. */
export const SHIPPED: string = fileURLToPath(new URL('../../router-models/', import.meta.url))

const ROOT = new URL('../../', import.meta.url)
const CACHE = new URL('../results/savings-folds/', import.meta.url)

/**
 * A folder of weights per fold (`router.folder`). Made where they are not there yet, which takes minutes; the same data and the same training code find them again.
 * `progress` is told what is being done.
 */
export async function foldWeights(
  data: URL,
  cascade: { readonly rows: readonly CascadeRow[]; readonly pair: CascadePair },
  progress: (step: string) => void,
): Promise<string[]> {
  const files = readOutcomeFiles(data, TRAINING_SETS)
  const folder = new URL(`${keyOf(files, cascade.rows)}/`, CACHE)
  const folders = Array.from({ length: FOLDS }, (_, fold) => fileURLToPath(new URL(`fold-${fold}/`, folder)))
  // The acceptance head is written last: where it is, the fold is whole.
  const missing = [...folders.entries()].filter(([, own]) => !existsSync(join(own, 'acceptance.json')))
  if (missing.length === 0) return folders
  progress('reading the recorded outcomes')
  const examples = files.flatMap(({ set, pair, rows }) => examplesOf(set, pair, rows))
  const vectors = await vectorsOf(
    examples.map(({ features }) => features.text),
    (done, of) => progress(`encoded ${done} of ${of} texts`),
  )
  const rows = makeRows(examples, vectors)
  for (const [fold, own] of missing) {
    mkdirSync(own, { recursive: true })
    progress(`weights without fold ${fold + 1} of ${FOLDS}`)
    const use = [...examples.keys()].filter((row) => foldOf(examples[row]?.stem ?? '', FOLDS) !== fold)
    // Strengths are one number per model over thousands of rows: a fold more or less is within their rounding.
    const heads = encodeHeads(new HeadTrainer(rows, use).parts(strengthsOf(withoutFold(files, fold))))
    writeFileSync(join(own, 'gain-heads.bin'), heads.bin)
    writeFileSync(join(own, 'gain-heads.json'), heads.json)
    const taught = cascade.rows.filter(({ prompt }) => foldOfPrompt(prompt) !== fold)
    const [one, two] = [1, 2].map((opinions) => fitAcceptance(casesOf(taught, cascade.pair, opinions)))
    writeFileSync(join(own, 'acceptance.json'), JSON.stringify({ version: 1, one, two }))
  }
  return folders
}

const SOURCES: readonly string[] = [
  'scripts/router-train/*.ts',
  'scripts/cascade-train/*.ts',
  'src/routing/{boosted-trees,char-codes,features,gain-*,head-file,kind,model-strength,ngram-counter,text-surface,tool-shape,word-classes}.ts',
  'src/routing/cascade/{acceptance,disagreement-rate}.ts',
]

function withoutFold(files: readonly OutcomeFile[], fold: number): OutcomeFile[] {
  return files.map((file) => ({ ...file, rows: file.rows.filter(({ prompt }) => foldOfPrompt(prompt) !== fold) }))
}

/** Digest of everything that the weights depend on: the recorded data, and the code that makes and reads features. */
function keyOf(files: readonly OutcomeFile[], cascade: readonly CascadeRow[]): string {
  const hash = createHash('sha256')
  for (const { name, sha256 } of files) hash.update(`${name} ${sha256}\n`)
  hash.update(JSON.stringify(cascade.map(({ id, m }) => [id, m])))
  const sources = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: fileURLToPath(ROOT) })).toSorted()
  for (const source of sources) hash.update(readFileSync(new URL(source, ROOT)))
  return hash.digest('hex').slice(0, 16)
}
