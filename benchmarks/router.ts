/** What the gain heads are worth per data set, beside chance, prompt length, known domain, oracle and RouteLLM's published lines. See docs/routing.md. */
import { pathToFileURL, fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadTrainedScorer, type TrainedScorer } from '../src/routing/trained-scorer.ts'
import { crossValidated, scoredWithout } from '../scripts/router-train/judge.ts'
import {
  examplesOf,
  foldOf,
  readOutcomeFiles,
  TRAINING_SETS,
  type Example,
  type OutcomeFile,
} from '../scripts/router-train/outcome-sets.ts'
import { HeadTrainer } from '../scripts/router-train/train-heads.ts'
import { FOLDS } from '../scripts/router-train/fit-expert.ts'
import { makeRows, type TrainingRows } from '../scripts/router-train/training-rows.ts'
import { vectorsOf } from '../scripts/router-train/vectors.ts'
import { changedDecisions } from './support/noisy-prompts.ts'
import { costForQuality, pricesFor } from './support/quality-cost.ts'
import { apgrOf, apgrWithError, domainScores, gainsOf, seededRandom } from './support/router-lines.ts'

const HELP = `node benchmarks/router.ts [--data DIR] [--no-encoder] [--json]

Without --data: cross-validated figures on ../shared/data/routing (5 folds by question), of heads that saw no row of the set, with
1,500 labels of MMLU, of unseen tool categories; needs minutes.
--data DIR   judges the committed weights on every *.jsonl.gz with outcomes in DIR; DIR/pairs.json names the models of each set.
--no-encoder judges by words and counts alone. Else the encoder's vectors are used, too: a little better in expectation; made on the
             first run, some 20 ms per text, and kept in benchmarks/results/vectors.
--json       ends with one line of JSON.`

/** RouteLLM's best published APGR with its own training data for the set (arXiv 2406.18665, tables 1-3). */
const PUBLISHED: Readonly<Record<string, number>> = {
  routellm_mmlu: 0.603,
  routellm_gsm8k: 0.622,
  routellm_mtbench: 0.802,
}
const MODEL = fileURLToPath(new URL('../router-models/gain-heads', import.meta.url))
const TRAIN_DATA = new URL('../../shared/data/routing/', import.meta.url)
const BUDGET_LABELS = 1500

interface Judged {
  readonly set: string
  readonly rows: readonly Example[]
  readonly scores: readonly number[]
  readonly unseen?: readonly number[]
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    encoder: { type: 'boolean', default: true },
    'no-encoder': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else await main()

async function main(): Promise<void> {
  const folder = values.data === undefined ? TRAIN_DATA : pathToFileURL(`${resolve(values.data)}/`)
  const files = readOutcomeFiles(folder, values.data === undefined ? TRAINING_SETS : undefined)
  const examples = files.map((file) => examplesOf(file.set, file.pair, file.rows))
  const isEncoded = !values['no-encoder']
  const vectors = isEncoded
    ? await vectorsOf(
        examples.flat().map(({ features }) => features.text),
        (done, of) => progress(`encoded ${done} of ${of} texts`),
      )
    : undefined
  const scorer = loadTrainedScorer(MODEL)
  const judged =
    values.data === undefined
      ? crossValidation(files, examples.flat(), vectors)
      : byWeights(scorer, files, examples, vectors)
  progress('')
  console.log(
    values.data === undefined
      ? `Cross-validated, ${isEncoded ? 'with' : 'without'} encoder. Label budget: all rows of all sets, the judged fold left out; "unseen": no row of the set.`
      : `Committed weights (label budget: see router-models/gain-heads.md), ${isEncoded ? 'with' : 'without'} encoder, on ${fileURLToPath(folder)}`,
  )
  const sets = judged.map(lineOf)
  console.table(Object.fromEntries(sets.map(({ set, table }) => [set, table])))
  const money = judged.flatMap(moneyOf)
  for (const line of money) console.log(line.text)
  const stability = stabilityOf(scorer, judged)
  console.log(
    `Decisions unchanged at 30 % big calls under noise: ${stability.map(({ noise, share }) => `${noise} ${(100 * share).toFixed(1)} %`).join(', ')} (committed weights, without encoder)`,
  )
  if (!values.json) return
  console.log(
    JSON.stringify({
      sets: Object.fromEntries(sets.map(({ set, json }) => [set, json])),
      money: Object.fromEntries(money.map(({ set, usdPer1000 }) => [set, usdPer1000])),
      stability: Object.fromEntries(stability.map(({ noise, share }) => [noise, share])),
      encoder: isEncoded,
    }),
  )
}

/** As the service would judge: the head of the set's pair, the kind by the request itself. */
function byWeights(
  scorer: TrainedScorer,
  files: readonly OutcomeFile[],
  examples: readonly (readonly Example[])[],
  vectors: readonly Float32Array[] | undefined,
): Judged[] {
  let at = 0
  return files.flatMap(({ set, pair }, i): Judged[] => {
    const rows = examples[i] as readonly Example[]
    if (rows.length === 0) return []
    const head = scorer.forPair({ small: pair.weak, big: pair.strong }).head
    const { choice } = head
    console.log(
      `${set}: ${pair.weak} -> ${pair.strong}, head: ${choice.kind}${choice.pair === undefined ? '' : ` (${choice.pair})`}`,
    )
    const scores = rows.map(({ features }) => head.gain(features, vectors?.[at++]))
    return [{ set, rows, scores }]
  })
}

function crossValidation(
  files: readonly OutcomeFile[],
  examples: readonly Example[],
  vectors: readonly Float32Array[] | undefined,
): Judged[] {
  const data = makeRows(examples, vectors)
  const form = vectors === undefined ? 'plain' : 'encoded'
  const rowsWhere = (is: (example: Example) => boolean): number[] =>
    [...examples.keys()].filter((row) => is(examples[row] as Example))
  const figure = (rows: readonly number[], scores: ReadonlyMap<number, number>): string =>
    apgrOf(
      rows.map((row) => scores.get(row) as number),
      gainsOf(rows.map((row) => examples[row] as Example)),
    ).toFixed(3)
  progress('fitting the experts')
  const validated = crossValidated(new HeadTrainer(data, [...examples.keys()]))[form]
  const judged = files.map(({ set }, i): Judged => {
    progress(`set ${i + 1} of ${files.length} left out`)
    const rows = rowsWhere((example) => example.set === set)
    const unseen = scoredWithout(data, (row) => examples[row]?.set === set)[form]
    return {
      set,
      rows: rows.map((row) => examples[row] as Example),
      scores: rows.map((row) => validated.get(row) as number),
      unseen: rows.map((row) => unseen.get(row) as number),
    }
  })

  budgetLine(data, form)

  const domains = [...new Set(rowsWhere(({ set }) => set === 'bfcl_v1').map((row) => examples[row]?.domain as string))]
  const tools = new Map<number, number>()
  for (const [i, domain] of domains.entries()) {
    progress(`tool category ${i + 1} of ${domains.length} left out`)
    const isHeld = (row: number): boolean => examples[row]?.set === 'bfcl_v1' && examples[row]?.domain === domain
    for (const [row, score] of scoredWithout(data, isHeld)[form]) tools.set(row, score)
  }
  progress('')
  console.log(`bfcl_v1, each category by heads that saw none of it: APGR ${figure([...tools.keys()], tools)}`)
  return judged
}

/** What a tenant gets from its own labels alone: each fold of MMLU judged by heads that learned from 1,500 rows of the other folds. */
function budgetLine(data: TrainingRows, form: 'plain' | 'encoded'): void {
  const { examples } = data
  const mmlu = [...examples.keys()].filter((row) => examples[row]?.set === 'routellm_mmlu')
  const foldAt = (row: number): number => foldOf(examples[row]?.stem ?? '', FOLDS)
  const figures = Array.from({ length: FOLDS }, (_, fold) => {
    progress(`${BUDGET_LABELS} labels of MMLU, fold ${fold + 1} of ${FOLDS}`)
    const others = mmlu.filter((row) => foldAt(row) !== fold)
    const step = Math.max(1, Math.floor(others.length / BUDGET_LABELS))
    const labels = new Set(others.filter((_row, i) => i % step === 0).slice(0, BUDGET_LABELS))
    const tested = new Set(mmlu.filter((row) => foldAt(row) === fold))
    const scores = scoredWithout(
      data,
      (row) => tested.has(row),
      (row) => labels.has(row),
    )[form]
    return apgrOf([...scores.values()], gainsOf([...scores.keys()].map((row) => examples[row] as Example)))
  })
  const mean = figures.reduce((sum, value) => sum + value, 0) / FOLDS
  const variance = figures.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (FOLDS - 1)
  progress('')
  console.log(
    `routellm_mmlu with ${BUDGET_LABELS} labels of it and no other data, mean of ${FOLDS} folds: APGR ${mean.toFixed(3)} (SE ${Math.sqrt(variance / FOLDS).toFixed(3)})`,
  )
}

function lineOf({ set, rows, scores, unseen }: Judged): {
  readonly set: string
  readonly table: Record<string, string | number>
  readonly json: Record<string, number>
} {
  const gains = gainsOf(rows)
  const { apgr, se } = apgrWithError(scores, gains)
  const random = seededRandom(7)
  const line = (other: readonly number[]): string => apgrOf(other, gains).toFixed(3)
  return {
    set,
    table: {
      n: rows.length,
      ours: apgr.toFixed(3),
      se: se.toFixed(3),
      ...(unseen === undefined ? {} : { unseen: line(unseen) }),
      random: line(rows.map(() => random())),
      length: line(rows.map(({ features }) => features.counts[0] as number)),
      domain: line(domainScores(rows)),
      oracle: line(gains),
      RouteLLM: PUBLISHED[set] ?? '',
    },
    json: {
      n: rows.length,
      apgr,
      se,
      ...(unseen === undefined ? {} : { unseen: apgrOf(unseen, gains) }),
    },
  }
}

function moneyOf({
  set,
  rows,
  scores,
}: Judged): { readonly set: string; readonly usdPer1000: number; readonly text: string }[] {
  const prices = pricesFor(rows)
  if (prices === undefined) return []
  const random = seededRandom(7)
  const at = (other: readonly number[]): string => `$${costForQuality(other, prices, 0.95).toFixed(2)}`
  const usdPer1000 = costForQuality(scores, prices, 0.95)
  const text = `${set}, 95 % of the big model's quality per 1,000 calls: ours ${at(scores)}, random ${at(rows.map(() => random()))}, cheapest calls first (recorded prices) ${at(prices.map(({ cost }) => cost.small - cost.big))}, oracle ${at(gainsOf(rows))}`
  return [{ set, usdPer1000, text }]
}

function stabilityOf(
  scorer: TrainedScorer,
  judged: readonly Judged[],
): { readonly noise: string; readonly share: number }[] {
  const known = judged.filter(({ rows }) => rows.length > 100).map(({ rows }) => rows.filter((_, i) => i % 5 === 0))
  return changedDecisions(known, (example) => {
    const head = scorer.forPair(example.pair).head
    return (features) => head.gain(features)
  })
}

/** One line that overwrites itself, for people only. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step}`)
}
