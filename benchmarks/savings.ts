/** What routing saves, end to end: recorded questions through the real service, simulated models that answer what was recorded, real bills. See docs/routing.md. */
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { askAll, type Answers } from './savings/ask-all.ts'
import { figuresOf, WANTED, type Figures, type Row } from './savings/figures.ts'
import { foldWeights, SHIPPED } from './savings/fold-weights.ts'
import { SETS } from './savings/prices.ts'
import { readSet, type SavingsSet } from './savings/questions.ts'
import { WAYS } from './savings/routes.ts'
import { readCascadeRows } from './support/recorded-cascade.ts'
import { writeReport } from './support/report.ts'
import { table } from './support/table.ts'

const HELP = `npm run bench:savings -- [--data DIR] [--rows N] [--json]

Sends equal shares of ${SETS.join(', ')}
in ${WAYS.length} ways (either model alone, ${WAYS.length - 2} settings of costQuality) through the real service, and says what 90, 95 and 98 % of the big
models' quality costs. Without --data: ../shared/data/routing with weights out of fold, 5 folds by question; the first run trains them,
which takes 4 minutes.
--data DIR  those of the sets that DIR has, with the weights that ship; DIR/pairs.json may name the models
--rows N    of each set at most so many questions (all: as many as the smallest set has)
--json      ends with one line of JSON`

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    rows: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
/** A part or other data must not stand where the figures of the whole are looked for. */
const isWhole = values.data === undefined && values.rows === undefined
const folder =
  values.data === undefined
    ? new URL('../../shared/data/routing/', import.meta.url)
    : pathToFileURL(`${resolve(values.data)}/`)
try {
  await main()
} catch (error) {
  progress('')
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const whole = SETS.flatMap((name) => readSet(folder, name) ?? [])
  if (whole.length === 0)
    throw new Error(`${fileURLToPath(folder)} has none of ${SETS.join(', ')}. Name a folder that has with --data.`)
  const share = Math.min(Number(values.rows ?? Number.POSITIVE_INFINITY), ...whole.map((set) => set.questions.length))
  if (!(share >= 1)) throw new Error('--rows must be a whole number from 1.')
  const sets = whole.map((set): SavingsSet => ({ ...set, questions: set.questions.slice(0, share) }))
  const weights = values.data === undefined ? await outOfFold(whole) : [SHIPPED]
  const { answers, bills } = await askAll(sets, weights, (done, of) => {
    if (done % 100 === 0) progress(`${done} of ${of} requests`)
  })
  progress('')
  const figures = new Map<string, Figures>(sets.map((set) => [set.name, figuresOf(rowsOf([set], answers))]))
  figures.set('all', figuresOf(rowsOf(sets, answers)))
  show(sets, figures, share)
  console.log(
    `Bills: the meters of the simulated models say ${bills.metered} nano-dollars, the ledger ${bills.booked}: no difference.`,
  )
  const report = { sets: Object.fromEntries(figures), rows: share, nanoUsd: String(bills.booked) }
  console.log(writeReport(isWhole ? 'savings' : 'savings-part', report))
  if (values.json) console.log(JSON.stringify({ sets: report.sets, rows: share, nanoUsd: report.nanoUsd }))
}

async function outOfFold(sets: readonly SavingsSet[]): Promise<string[]> {
  const cascade = sets.find(({ models }) => models.opinions.length > 0)
  if (cascade === undefined) throw new Error('The set with recorded answers, cascade_zeroeval, is not there.')
  const { small, big, opinions } = cascade.models
  const rows = readCascadeRows(join(fileURLToPath(folder), `${cascade.name}.train.jsonl.gz`))
  return await foldWeights(folder, { rows, pair: { weak: small, strong: big, second_opinion: opinions } }, progress)
}

function rowsOf(sets: readonly SavingsSet[], answers: Answers): Row[] {
  return sets.flatMap(({ questions }) => questions.flatMap((question) => answers.get(question) ?? []))
}

function show(sets: readonly SavingsSet[], figures: ReadonlyMap<string, Figures>, share: number): void {
  console.log(
    `Single-turn questions with recorded outcomes, ${share} of each set; dollars per 1,000; ${values.data === undefined ? 'weights out of fold' : 'the weights that ship'}.`,
  )
  for (const { name, models } of sets) {
    const others = models.opinions.length === 0 ? '' : `, second opinions ${models.opinions.join(', ')}`
    console.log(`  ${name}: ${models.small} -> ${models.big}${others}`)
  }
  for (const wanted of WANTED) {
    console.log(`\nAt ${100 * wanted} % of the quality of all-big:`)
    const lines = [...figures].map(([name, { n, small, big, at }]) => {
      const { ours, random, oracle, saving, savingSe } = at[String(wanted)] as Figures['at'][string]
      const money = [small.usd, big.usd, random, ours, oracle].map((usd) => usd.toFixed(2))
      const quality = [small.quality, big.quality].map((each) => each.toFixed(3))
      return [name, String(n), ...quality, ...money, `${percent(saving)} ±${(100 * savingSe).toFixed(1)}`]
    })
    const head = ['set', 'n', 'q small', 'q big', 'all small', 'all big', 'random', 'ours', 'oracle', 'cheaper']
    console.log(table(head, lines))
  }
  const all = figures.get('all')
  console.log('\nThe sweep, all sets together:')
  const lines = (all?.curve ?? []).map(({ costQuality, quality, usd, big, escalated }) => [
    String(costQuality),
    quality.toFixed(3),
    percent(quality / (all?.big.quality ?? 1)),
    usd.toFixed(2),
    percent(big),
    percent(escalated),
  ])
  console.log(`${table(['costQuality', 'quality', 'of all big', 'dollars', 'big', 'escalated'], lines)}\n`)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** One line that overwrites itself, for people only. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${step}`)
}
