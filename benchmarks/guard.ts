/** How well the guard finds personal data, secrets and injections in a folder of labelled texts, and what 4 KB cost. See docs/sensitive-data.md. */
import { readFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findPersonalData } from '../src/guard/find-personal-data.ts'
import type { Finding, FindingKind } from '../src/guard/finding.ts'
import { injectionSignal } from '../src/guard/injection/injection-signal.ts'
import { auroc, recallAtFalsePositives } from './support/ranking.ts'

const HELP = `node benchmarks/guard.ts [--data DIR] [--json]

DIR holds pii.jsonl and prompt_injection.jsonl (default: ../shared/data/badinput/guard).
--json ends with one line of JSON.`

interface PiiRow {
  readonly id: string
  readonly text: string
  readonly label: 'pii' | 'pii_hard' | 'clean'
  readonly kind: string
  readonly span: readonly [number, number] | null
}
interface InjectionRow {
  readonly id: string
  readonly text: string
  readonly label: 'attack' | 'benign'
}
interface Counts {
  rows: number
  found: number
  wrong: number
}

/** Our kind for a label of the data. */
const KINDS: readonly (readonly [RegExp, FindingKind])[] = [
  [/^(?:credit_card|amex|obf_zwsp|obf_fullwidth)/, 'card'],
  [/^(?:email|obf_)/, 'email'],
  [/^phone/, 'phone'],
  [/^us_ssn/, 'us-ssn'],
  [/^iban/, 'iban'],
  [/^ipv?[46]/, 'ip'],
  [/^person/, 'person'],
  [/^address/, 'address'],
  [/^passport/, 'passport'],
  [/^mrn/, 'medical-record'],
  [/^vin/, 'vehicle'],
  [/^(?:dob|birth)/, 'birth-date'],
  [/^secret_jwt/, 'jwt'],
  [/^secret_(?:pem|ssh|private)/, 'private-key'],
  [/^secret_\w*url|^secret_(?:dsn|conn)/, 'url-password'],
  [/^secret_\w*pass/, 'password'],
  [/^secret_/, 'api-key'],
]

const { values } = parseArgs({
  options: { data: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
})
if (values.help === true) {
  console.log(HELP)
  process.exit(0)
}
const folder = values.data ?? fileURLToPath(new URL('../../shared/data/badinput/guard', import.meta.url))
const pii = rowsOf<PiiRow>('pii.jsonl')
const injections = rowsOf<InjectionRow>('prompt_injection.jsonl')
const parts = { all: () => true, written: (id: string) => !isHeldOut(id), heldOut: isHeldOut } as const
const results = Object.fromEntries(
  Object.entries(parts).map(([part, has]) => [
    part,
    {
      pii: scorePii(pii.filter(({ id }) => has(id))),
      injection: scoreInjection(injections.filter(({ id }) => has(id))),
    },
  ]),
)
const time = { findPersonalData: timeOf(findPersonalData), injectionSignal: timeOf(injectionSignal) }

for (const [part, { pii: found, injection }] of Object.entries(results)) {
  console.log(`\n${part}\n  kind              rows  found  wrong  precision  recall     F1`)
  for (const [kind, row] of Object.entries(found)) {
    console.log(
      `  ${kind.padEnd(16)} ${cell(row.rows, 5)} ${cell(row.found, 6)} ${cell(row.wrong, 6)} ${cell(row.precision, 10)} ${cell(row.recall, 7)} ${cell(row.f1, 6)}`,
    )
  }
  console.log(
    `  injection: n ${injection.n}, AUROC ${injection.auroc.toFixed(3)}, recall at 1 % false positives ${injection.recallAt1.toFixed(3)}, at 5 % ${injection.recallAt5.toFixed(3)}`,
  )
}
console.log('\n4 KB of text, microseconds')
for (const [name, { p50, p99 }] of Object.entries(time)) console.log(`  ${name}: p50 ${p50}, p99 ${p99}`)
if (values.json === true) console.log(JSON.stringify({ ...results['all'], heldOut: results['heldOut'], timeUs: time }))

function rowsOf<Row>(file: string): readonly Row[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

/** A third of the rows, by their id. */
function isHeldOut(id: string): boolean {
  return Number.parseInt(hash('sha256', id).slice(0, 8), 16) % 3 === 0
}

interface Score extends Counts {
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
}

/** A row is found if a find of its kind meets its place; every find elsewhere or of another kind is wrong. */
function scorePii(rows: readonly PiiRow[]): Record<string, Score> {
  const counts = new Map<string, Counts>()
  const of = (kind: string): Counts => {
    const known = counts.get(kind) ?? { rows: 0, found: 0, wrong: 0 }
    counts.set(kind, known)
    return known
  }
  for (const row of rows) {
    const kind = row.label === 'clean' ? undefined : KINDS.find(([pattern]) => pattern.test(row.kind))?.[1]
    const wanted = row.label === 'clean' ? undefined : row.label === 'pii_hard' ? 'hard' : (kind ?? row.kind)
    if (wanted !== undefined) of(wanted).rows++
    let isFound = false
    for (const finding of findPersonalData(row.text)) {
      if (row.label !== 'clean' && finding.kind === kind && meets(finding, row.span)) isFound = true
      else of(finding.kind).wrong++
    }
    if (wanted !== undefined && isFound) of(wanted).found++
  }
  const total: Counts = { rows: 0, found: 0, wrong: 0 }
  for (const [kind, each] of counts) {
    if (kind === 'hard') continue
    total.rows += each.rows
    total.found += each.found
    total.wrong += each.wrong
  }
  return Object.fromEntries([...counts, ['total', total] as const].map(([kind, each]) => [kind, scoreOf(each)]))
}

function scoreOf(counts: Counts): Score {
  const { rows, found, wrong } = counts
  const precision = found + wrong === 0 ? null : found / (found + wrong)
  const recall = rows === 0 ? null : found / rows
  const f1 = found === 0 ? (rows === 0 ? null : 0) : (2 * found) / (rows + found + wrong)
  return { ...counts, precision, recall, f1 }
}

function meets({ start, end }: Finding, span: PiiRow['span']): boolean {
  return span === null || (start < span[1] && end > span[0])
}

function scoreInjection(rows: readonly InjectionRow[]): {
  n: number
  auroc: number
  recallAt1: number
  recallAt5: number
} {
  const scores = (label: InjectionRow['label']): number[] =>
    rows.filter((row) => row.label === label).map((row) => injectionSignal(row.text).score)
  const attacks = scores('attack')
  const benign = scores('benign')
  return {
    n: rows.length,
    auroc: auroc(attacks, benign),
    recallAt1: recallAtFalsePositives(attacks, benign, 0.01),
    recallAt5: recallAtFalsePositives(attacks, benign, 0.05),
  }
}

/** Over 100 texts of 4,096 characters made of all rows in turn, prose and code between them: more to look at than ordinary text has. */
function timeOf(look: (text: string) => unknown): { p50: number; p99: number } {
  const filler =
    'The build of 12 modules took 3.4 s; see https://example.com/a?b=c for the log. const total = items.reduce((sum, each) => sum + each.price, 0);\n'
  const source = [...pii, ...injections].map(({ text }) => `${filler}${text}\n`).join('')
  const twice = source + source
  const texts = Array.from({ length: 100 }, (_, at) => {
    const from = (at * 997) % source.length
    return twice.slice(from, from + 4096)
  })
  for (let round = 0; round < 40; round++) for (const text of texts) look(text)
  // The median of a text's rounds leaves out what the machine did meanwhile; the 99th percentile is that of slow texts.
  const times = texts.map((text) => {
    const rounds = Array.from({ length: 101 }, () => {
      const started = performance.now()
      look(text)
      return (performance.now() - started) * 1000
    })
    return rounds.toSorted((a, b) => a - b)[50] as number
  })
  times.sort((a, b) => a - b)
  const at = (share: number): number => Math.round(times[Math.floor(times.length * share)] as number)
  return { p50: at(0.5), p99: at(0.99) }
}

function cell(value: number | null, width: number): string {
  const text = value === null ? '-' : Number.isInteger(value) && width < 7 ? String(value) : value.toFixed(3)
  return text.padStart(width)
}
