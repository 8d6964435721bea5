/** What second opinions are worth on recorded answers: who is escalated, and how much of the gap to the big model that buys. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { DEFAULT_MAX_GAIN } from '../src/config/cascade.ts'
import { loadAcceptanceHead } from '../src/routing/cascade/acceptance-file.ts'
import { agree, expectedGain, type AcceptanceHead } from '../src/routing/cascade/acceptance.ts'
import { fitAcceptance } from '../scripts/cascade-train/fit-acceptance.ts'
import { bootstrapError, casesOf, FOLDS, scoreOf, type CascadePair, type Case } from './support/cascade-score.ts'
import { readCascadeRows } from './support/recorded-cascade.ts'
import { writeReport } from './support/report.ts'
import { table } from './support/table.ts'

const HELP = `npm run bench:cascade -- [--data DIR] [--max-gain ${DEFAULT_MAX_GAIN}] [--train] [--json]

Reads cascade_*.jsonl.gz and pairs.json of DIR (../shared/data/routing).
Without --data the weights are fitted out of fold (5 folds by question); with it the committed ones are judged.
--train fits them on all rows and writes router-models/acceptance.json. --json ends with one line of JSON.`
/** Pair where DIR has no pairs.json. */
const PAIR: CascadePair = {
  weak: 'Meta-Llama-3.1-8B-Instruct',
  second_opinion: ['gemma-2-9b-it', 'Qwen2-7B-Instruct'],
  strong: 'claude-3-5-sonnet-20241022',
}
const HOME = new URL('../../shared/data/routing/', import.meta.url)
const WEIGHTS = new URL('../router-models/acceptance.json', import.meta.url)

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    'max-gain': { type: 'string' },
    train: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (values.help === true) {
  console.log(HELP)
  process.exit(0)
}
const folder = values.data === undefined ? HOME : pathToFileURL(`${values.data}/`)
const maxGain = Number(values['max-gain'] ?? DEFAULT_MAX_GAIN)
const files = existsSync(folder) ? readdirSync(folder).filter((name) => /^cascade_.*\.jsonl\.gz$/u.test(name)) : []
if (files.length === 0) {
  console.error(`${fileURLToPath(folder)} has no cascade_*.jsonl.gz. Name a folder that has with --data.`)
  process.exit(2)
}
const rows = files.flatMap((name) => readCascadeRows(join(fileURLToPath(folder), name)))
const pair = pairOf(new URL('pairs.json', folder))
const one = casesOf(rows, pair, 1)
const two = casesOf(rows, pair, 2)

if (values.train === true) {
  const head: AcceptanceHead = { version: 1, one: fitAcceptance(one), two: fitAcceptance(two) }
  const data = files.map((name) => ({ name, sha256: sha256(new URL(name, folder)) }))
  writeFileSync(WEIGHTS, `${JSON.stringify({ ...head, trainedOn: data }, null, 2)}\n`)
}

const isOutOfFold = values.data === undefined
const gains = { one: gainsOf(one, 'one'), two: gainsOf(two, 'two') }
const sets: Record<string, unknown> = {}
const lines: string[][] = []
for (const set of [...new Set(one.map((each) => each.set))].toSorted()) {
  const mine = one.filter((each) => each.set === set)
  const ours = two.filter((each) => each.set === set)
  const differs = (index: number) => (each: Case) => !agree(each.opinions.own, each.opinions.others[index])
  const rules: readonly (readonly [string, readonly Case[], (each: Case) => boolean])[] = [
    [`differs from ${pair.second_opinion[0] ?? 'none'}`, ours, differs(0)],
    ...(pair.second_opinion.length > 1
      ? ([[`differs from ${pair.second_opinion[1] ?? 'none'}`, ours, differs(1)]] as const)
      : []),
    ['acceptance head, 1 opinion', mine, (each) => (gains.one.get(each) ?? 0) > maxGain],
    ['acceptance head, 2 opinions', ours, (each) => (gains.two.get(each) ?? 0) > maxGain],
  ]
  const figures = rules.map(([name, cases, escalates]) => {
    const score = scoreOf(cases, escalates)
    const error = bootstrapError(cases, (drawn) => scoreOf(drawn, escalates).gapRecovered)
    lines.push([
      `${set}: ${name}`,
      String(score.n),
      percent(score.weak),
      percent(score.strong),
      percent(score.escalated),
      percent(score.accuracy),
      `${score.gapRecovered.toFixed(3)} ±${error.toFixed(3)}`,
    ])
    return { ...score, gapRecoveredSe: error }
  })
  const [agreement] = figures
  sets[set] = { ...figures.at(-1), oneOpinion: figures.at(-2), agreement }
}
console.log(`${pair.weak}, escalated to ${pair.strong}; expected gain above ${maxGain}`)
console.log(isOutOfFold ? `weights fitted out of fold, ${FOLDS} folds by question` : 'committed weights')
console.log(`\n${table(['set: rule', 'n', 'small', 'big', 'escalated', 'accuracy', 'gap recovered'], lines)}\n`)
console.log(writeReport('cascade', { sets, maxGain, isOutOfFold }))
if (values.json === true) console.log(JSON.stringify({ sets }))

/** Expected gain of each case: by committed weights, or by weights that never saw its fold. */
function gainsOf(cases: readonly Case[], kind: 'one' | 'two'): ReadonlyMap<Case, number> {
  const heads = isOutOfFold
    ? Array.from({ length: FOLDS }, (_, fold) => fitAcceptance(cases.filter((each) => each.fold !== fold)))
    : undefined
  const committed = loadAcceptanceHead(WEIGHTS)
  return new Map(
    cases.map((each) => {
      const weights = heads?.[each.fold] ?? committed[kind]
      return [each, expectedGain(each.opinions, each.circumstances, { version: 1, one: weights, two: weights })]
    }),
  )
}

function pairOf(file: URL): CascadePair {
  if (!existsSync(file)) return PAIR
  const pairs = JSON.parse(readFileSync(file, 'utf8')) as Record<string, CascadePair | undefined>
  return pairs['cascade_zeroeval'] ?? PAIR
}

function sha256(file: URL): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
