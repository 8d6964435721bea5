/** The recorded questions that are asked, with what each model of the set's pair came to. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { countTokens } from '../../src/simulator/tokens.ts'
import type { CascadePair } from '../support/cascade-score.ts'
import { seededRandom } from '../support/router-lines.ts'
import { foldOfPrompt } from './fold-weights.ts'
import { PAIRS, PRICES, UNRECORDED_TOKENS, type SetName } from './prices.ts'

export interface Question {
  readonly set: SetName
  readonly id: string
  readonly fold: number
  readonly prompt: string
  readonly tools: readonly object[] | undefined
  readonly answers: ReadonlyMap<string, RecordedAnswer>
}

export interface RecordedAnswer {
  /** 0..1. */
  readonly quality: number
  readonly text: string
}

/** Models that a set's route chooses between. */
export interface SetModels {
  readonly small: string
  readonly big: string
  /** Small models whose answers are recorded, too. */
  readonly opinions: readonly string[]
}

export interface SavingsSet {
  readonly name: SetName
  readonly models: SetModels
  readonly questions: readonly Question[]
}

interface Row {
  readonly id: string
  readonly prompt: string
  readonly y?: Readonly<Record<string, number | null>>
  readonly oc?: Readonly<Record<string, number | null>>
  readonly cost?: Readonly<Record<string, number | null>>
  readonly m?: Readonly<Record<string, { readonly a: string | null; readonly ok: number; readonly oc: number }>>
  readonly contaminated?: number
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly parameters?: object }[]
}

/** The questions of a set, in an order that has nothing to do with their outcomes; undefined = the folder does not have it. */
export function readSet(folder: URL, name: SetName): SavingsSet | undefined {
  const file = existsSync(folder) ? readdirSync(folder).find((each) => isOf(each, name)) : undefined
  if (file === undefined) return undefined
  const pairs = new URL('pairs.json', folder)
  const named = existsSync(pairs)
    ? (JSON.parse(readFileSync(pairs, 'utf8')) as Record<string, Partial<CascadePair> | undefined>)[name]
    : undefined
  const { weak, strong, second_opinion: opinions } = { ...PAIRS[name], ...named }
  const models = { small: weak, big: strong, opinions }
  const asked = new Set<string>()
  const questions = gunzipSync(readFileSync(new URL(file, folder)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
    .filter((row) => {
      // The simulator tells questions apart by their text alone.
      const isNew = row.contaminated !== 1 && !asked.has(row.prompt.trim())
      asked.add(row.prompt.trim())
      return isNew
    })
    .flatMap((row) => questionOf(name, row, models) ?? [])
    .map((question) => ({ question, key: createHash('sha256').update(question.id).digest('hex') }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ question }) => question)
  return { name, models, questions }
}

/** A set is named by its file up to the first dot. */
function isOf(file: string, name: SetName): boolean {
  return file.endsWith('.jsonl.gz') && file.startsWith(`${name}.`)
}

function questionOf(set: SetName, row: Row, { small, big, opinions }: SetModels): Question | undefined {
  const answers = new Map<string, RecordedAnswer>()
  for (const model of [small, big, ...opinions]) {
    const answer = answerOf(set, row, model)
    if (answer === undefined) return undefined
    answers.set(model, answer)
  }
  const { id, prompt } = row
  const tools = row.tools?.map((each) => ({
    type: 'function',
    function: { ...each, name: each.name.replaceAll('.', '_'), parameters: jsonSchema(each.parameters) },
  }))
  return { set, id, fold: foldOfPrompt(prompt), prompt, tools, answers }
}

const JSON_TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
/** The set names types as programming languages do; the API takes those of JSON Schema alone. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  dict: 'object',
  float: 'number',
  double: 'number',
  tuple: 'array',
}

/** The same schema; a type that JSON does not know allows anything. */
function jsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchema)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      if (key !== 'type' || typeof each !== 'string') return [[key, jsonSchema(each)]]
      const type = OTHER_TYPES[each] ?? each
      return JSON_TYPES.has(type) ? [[key, type]] : []
    }),
  )
}

function answerOf(set: SetName, row: Row, model: string): RecordedAnswer | undefined {
  const given = row.m?.[model]
  const quality = given === undefined ? row.y?.[model] : given.ok
  if (quality === undefined || quality === null) return undefined
  const chars = given?.oc ?? row.oc?.[model] ?? CHARS_PER_TOKEN * lengthOf(set, row, model)
  // `a` is null or empty where the recorded answer came to no result.
  return { quality, text: textOf(`${row.id} ${model}`, chars, given?.a ?? '') }
}

/** Tokens of an answer of which no length is recorded: what is left of its recorded cost when its prompt is paid, or what is assumed. */
function lengthOf(set: SetName, row: Row, model: string): number {
  const cost = row.cost?.[model]
  const price = PRICES[model]
  if (cost === undefined || cost === null || price === undefined) return UNRECORDED_TOKENS[set]
  const left = cost * 1e6 - promptTokensOf(row.prompt) * price.inputPerM
  return Math.max(1, Math.round(left / price.outputPerM))
}

/** As the simulator counts a conversation of one message. */
function promptTokensOf(prompt: string): number {
  return countTokens(prompt) + 7
}

const CHARS_PER_TOKEN = 4
const WORDS =
  'all and any are ask box but can cut day did due end far few fit for get got had has her him his how its key lay let low may men mix new nor not now odd off one our out own pay per put ran raw run say see set she sit six ten the they too top try two use was way who why yes yet you'
    .split(' ')
    .filter((word) => word.length === CHARS_PER_TOKEN - 1)

/** A text of about so many characters, one token for four, that comes to this result and to no other; words in no order, so that none repeats. */
function textOf(seed: string, chars: number, result: string): string {
  const random = seededRandom(createHash('sha256').update(seed).digest().readUInt32LE())
  const end = result === '' ? '' : `\n#### ${result}`
  const count = Math.max(1, Math.round((chars - end.length) / CHARS_PER_TOKEN))
  const words = Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)] as string)
  return ` ${words.join(' ')}${end}`
}
