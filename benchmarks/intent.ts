/** What intents by examples are worth on recorded utterances, beside TF-IDF and centroids; and what prompts of known kinds are taken for. See docs/routing.md. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { exampleVectors, loadBuiltInIntents } from '../src/routing/intent/built-in-file.ts'
import { learnIntentsAtOnce, type IntentExamples, type LearnedIntents } from '../src/routing/intent/learn-intents.ts'
import { vectorsOf } from '../scripts/router-train/vectors.ts'
import {
  aurocOf,
  centroidAccuracy,
  foldOf,
  OUT_OF_SCOPE,
  readIntentSets,
  tfidfAccuracy,
  type IntentSet,
  type Utterance,
} from './support/intent-sets.ts'
import { builtInTable } from './support/known-prompts.ts'

const HELP = `node benchmarks/intent.ts [--data DIR] [--folds N] [--draws N] [--built-in] [--json]

Without --data: of ../shared/data/routing/intent_*, three quarters (by hash of the text) are learned and one is judged; --folds 4 does so for
each quarter (default 1). Ten sentences per intent: mean and deviation over --draws (default 5).
--data DIR   judges the rows of DIR by what was learned from the whole file of the same name in ../shared/data/routing; intents that are not
             in there are unseen ones, which should be out of scope.
--built-in   only the table of what prompts of known kinds are taken for.
--json       ends with one line of JSON.`

const DATA = new URL('../../shared/data/routing/', import.meta.url)
const BUILT_IN = fileURLToPath(new URL('../router-models/intents/builtin', import.meta.url))
const SHOTS = 10
const QUARTERS = 4

interface Row extends Utterance {
  readonly vector: Float32Array
}

interface Judged {
  readonly n: number
  readonly accuracy: number
  readonly auroc: number | undefined
  readonly unseenAuroc: number | undefined
  /** At the default threshold. */
  readonly kept: number
  readonly rejected: number | undefined
  readonly centroid: number
  readonly tfidf: number
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    folds: { type: 'string', default: '1' },
    draws: { type: 'string', default: '5' },
    'built-in': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else if (values['built-in']) console.table(builtInTable(loadBuiltInIntents(BUILT_IN), DATA))
else await main()

async function main(): Promise<void> {
  const builtIn = loadBuiltInIntents(BUILT_IN)
  const background = exampleVectors(builtIn.parts)
  const learned = await withVectors(readIntentSets(DATA))
  const judged =
    values.data === undefined ? undefined : await withVectors(readIntentSets(pathToFileURL(`${resolve(values.data)}/`)))
  const sets: Record<string, unknown> = {}
  const table: Record<string, unknown> = {}
  for (const [name, rows] of learned) {
    const kept = judged?.get(name)
    if (judged !== undefined && kept === undefined) continue
    const splits =
      kept === undefined
        ? Array.from({ length: Number(values.folds) }, (_, fold) => quarter(rows, fold))
        : [{ train: rows, test: kept }]
    const full = splits.map(({ train, test }) => judge(train, test, background))
    const [first] = splits
    if (first === undefined) continue
    const shots = fewShot(first.train, first.test, background)
    const unseen = kept === undefined ? unseenDomains(rows, background) : mean(full.map((each) => each.unseenAuroc))
    const figures = {
      n: full.reduce((sum, { n }) => sum + n, 0),
      accuracy: mean(full.map(({ accuracy }) => accuracy)),
      auroc: mean(full.map(({ auroc }) => auroc)),
      unseenAuroc: unseen,
      keptInScope: mean(full.map((each) => each.kept)),
      rejectedOutOfScope: mean(full.map((each) => each.rejected)),
      tenShot: shots,
      lines: { centroid: mean(full.map(({ centroid }) => centroid)), tfidf: mean(full.map(({ tfidf }) => tfidf)) },
    }
    sets[name] = figures
    console.log(`${name}: ${JSON.stringify(figures)}`)
    const { lines, tenShot, ...rest } = figures
    table[name] = {
      ...rest,
      tenShot: `${tenShot.accuracy.toFixed(3)} ± ${tenShot.sd.toFixed(3)}`,
      'line: centroid': lines.centroid,
      'line: TF-IDF centroid': lines.tfidf,
    }
  }
  progress('')
  console.log(
    values.data === undefined
      ? `Three quarters by hash of the text learned, one judged, ${values.folds} time(s); unseen = whole domains left out.`
      : `Learned from ${fileURLToPath(DATA)}, judged on ${resolve(values.data)}.`,
  )
  console.table(rounded(table))
  if (existsSync(DATA)) console.table(builtInTable(builtIn, DATA))
  if (values.json) console.log(JSON.stringify({ sets }))
}

/** Intents of the training rows that are not out of scope, each with its vectors. */
function examplesOf(rows: readonly Row[], shots: number = Infinity): IntentExamples[] {
  const lists = new Map<string, Float32Array[]>()
  for (const { intent, vector } of rows) {
    if (intent === OUT_OF_SCOPE) continue
    let list = lists.get(intent)
    if (list === undefined) lists.set(intent, (list = []))
    if (list.length < shots) list.push(vector)
  }
  return [...lists].map(([name, vectors]) => ({ name, vectors }))
}

function judge(train: readonly Row[], test: readonly Row[], background: readonly Float32Array[]): Judged {
  progress(`learning from ${train.length} utterances`)
  const examples = examplesOf(train)
  const model = learnIntentsAtOnce(examples, { background })
  const known = new Set(examples.map(({ name }) => name))
  const inside = test.filter(({ intent }) => known.has(intent))
  const foreign = test.filter(({ intent }) => intent === OUT_OF_SCOPE)
  // Without a file of its own for them, those of the training file were not learned either.
  const outside = foreign.length > 0 ? foreign : train.filter(({ intent }) => intent === OUT_OF_SCOPE)
  const unseen = test.filter(({ intent }) => intent !== OUT_OF_SCOPE && !known.has(intent))
  const least = model.scopeBelow(0.05)
  const read = inside.map(({ vector, intent }) => ({ intent, ...model.read(vector) }))
  const scores = read.map(({ scope }) => scope)
  const strange = outside.map(({ vector }) => model.read(vector).scope)
  return {
    n: inside.length,
    accuracy: shareOf(read, ({ name, intent }) => name === intent),
    auroc: outside.length === 0 ? undefined : aurocOf(scores, strange),
    unseenAuroc: unseen.length === 0 ? undefined : aurocOf(scores, scopes(model, unseen)),
    kept: shareOf(scores, (score) => score >= least),
    rejected: outside.length === 0 ? undefined : shareOf(strange, (score) => score < least),
    centroid: centroidAccuracy(new Map(examples.map(({ name, vectors }) => [name, vectors])), inside),
    tfidf: tfidfAccuracy(
      train.filter(({ intent }) => intent !== OUT_OF_SCOPE),
      inside,
    ),
  }
}

/** Ten sentences per intent, drawn anew each time. */
function fewShot(train: readonly Row[], test: readonly Row[], background: readonly Float32Array[]) {
  const known = new Set(train.map(({ intent }) => intent))
  const inside = test.filter(({ intent }) => intent !== OUT_OF_SCOPE && known.has(intent))
  const accuracies = Array.from({ length: Number(values.draws) }, (_, draw) => {
    progress(`ten sentences each, draw ${draw + 1}`)
    const order = train.map((row) => ({ row, key: foldOf(row.text, 0x7fffffff, String(draw)) }))
    order.sort((a, b) => a.key - b.key)
    const drawn = order.map(({ row }) => row)
    const model = learnIntentsAtOnce(examplesOf(drawn, SHOTS), { background, knowsScope: false })
    return shareOf(inside, ({ intent, vector }) => model.read(vector).name === intent)
  })
  const accuracy = mean(accuracies) ?? 0
  const sd = Math.sqrt(mean(accuracies.map((each) => (each - accuracy) ** 2)) ?? 0)
  return { accuracy, sd, draws: accuracies.length }
}

/** Two whole domains are left out of the training, then two others, and so on; 40 sentences per intent are learned. */
function unseenDomains(rows: readonly Row[], background: readonly Float32Array[]): number | undefined {
  const inScope = rows.filter(({ intent }) => intent !== OUT_OF_SCOPE)
  const domains = [...new Set(inScope.map(({ domain }) => domain))].sort()
  if (domains.length < QUARTERS) return undefined
  const pairs = Array.from({ length: Math.floor(domains.length / 2) }, (_, i) => domains.slice(2 * i, 2 * i + 2))
  return mean(
    pairs.map((pair) => {
      progress(`without ${pair.join(' and ')}`)
      const { train, test } = quarter(
        inScope.filter(({ domain }) => !pair.includes(domain)),
        0,
      )
      const model = learnIntentsAtOnce(examplesOf(train, 40), { background })
      const foreign = inScope.filter(({ domain, text }) => pair.includes(domain) && foldOf(text, QUARTERS) === 0)
      return aurocOf(scopes(model, test), scopes(model, foreign))
    }),
  )
}

function scopes(model: LearnedIntents, rows: readonly Row[]): number[] {
  return rows.map(({ vector }) => model.read(vector).scope)
}

function quarter(rows: readonly Row[], fold: number): { readonly train: Row[]; readonly test: Row[] } {
  const isTest = ({ text }: Row): boolean => foldOf(text, QUARTERS) === fold
  return {
    train: rows.filter((row) => !isTest(row) || row.intent === OUT_OF_SCOPE),
    test: rows.filter((row) => isTest(row) && row.intent !== OUT_OF_SCOPE),
  }
}

async function withVectors(sets: readonly IntentSet[]): Promise<Map<string, Row[]>> {
  const vectors = await vectorsOf(
    sets.flatMap(({ rows }) => rows.map(({ text }) => text)),
    (done, of) => progress(`encoded ${done} of ${of} texts`),
  )
  let at = 0
  return new Map(
    sets.map(({ name, rows }) => [name, rows.map((row) => ({ ...row, vector: vectors[at++] as Float32Array }))]),
  )
}

function mean(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((each) => each !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0) / known.length
}

function shareOf<Item>(items: readonly Item[], is: (item: Item) => boolean): number {
  return items.filter(is).length / Math.max(1, items.length)
}

function rounded(table: object): object {
  return JSON.parse(
    JSON.stringify(table, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value)),
  ) as object
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}
