/** Reads the recorded outcomes of small and big models and makes training examples of them. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { ChatRequest, FunctionTool, JsonObject } from '../../src/protocol/request.ts'
import { featuresOf, type RoutingFeatures } from '../../src/routing/features.ts'
import { kindOf, type Kind } from '../../src/routing/kind.ts'
import { plainName } from '../../src/routing/model-strength.ts'
import { askOf } from '../support/plain-call.ts'

/** Sets that the heads are trained on, each a file `<name>.train.jsonl.gz`. */
export const TRAINING_SETS = [
  'routellm_mmlu',
  'routellm_gsm8k',
  'routerbench_subset',
  'mmlu_pro',
  'zeroeval_gsm8k',
  'zeroeval_math_l5',
  'fusionbench',
  'bfcl_v1',
  'mcpmark',
] as const

/** Pairs of models that are recorded in several sets under different names and versions, and count as one. */
const PAIRS: Readonly<Record<string, RecordedPairName>> = {
  routellm_mmlu: { name: 'mixtral to gpt-4', small: 'mixtral-8x7b-instruct-v0.1', big: 'gpt-4-1106-preview' },
  mmlu_pro: { name: 'llama-3.1-8b to gemini-1.5-pro', small: 'llama-3.1-8b-instruct', big: 'gemini-1.5-pro-002' },
  zeroeval_gsm8k: {
    name: 'llama-3.1-8b to claude-3.5-sonnet',
    small: 'Meta-Llama-3.1-8B-Instruct',
    big: 'claude-3-5-sonnet-20241022',
  },
  fusionbench: {
    name: 'llama-3.1-8b to nemotron-51b',
    small: 'llama-3.1-8b-instruct',
    big: 'llama-3.1-nemotron-51b-instruct',
  },
  bfcl_v1: {
    name: 'llama-3-8b to claude-3.5-sonnet',
    small: 'llama-3-8b-instruct',
    big: 'claude-3-5-sonnet-20240620',
  },
  mcpmark: { name: 'deepseek-v3.2 to gpt-5.2', small: 'deepseek-v3-2-chat', big: 'gpt-5-2-high' },
}

export interface RecordedPairName {
  readonly name: string
  readonly small: string
  readonly big: string
}

/** The recorded pair that these models are; a new one where there is none. */
function pairNamed(weak: string, strong: string): RecordedPairName {
  const same = (a: string, b: string): boolean => plainName(a) === plainName(b)
  const known = Object.values(PAIRS).find(({ small, big }) => same(small, weak) && same(big, strong))
  return known ?? { name: `${weak} to ${strong}`, small: weak, big: strong }
}

export interface Example {
  readonly set: string
  readonly pair: RecordedPairName
  /** Subject, category or task, as the set names it. */
  readonly domain: string
  readonly kind: Kind
  /** The question without its options, normalised: the same question in two sets has the same stem. */
  readonly stem: string
  readonly features: RoutingFeatures
  /** Outcome of the pair that the set is scored with, 0..1 each. */
  readonly small: number
  readonly big: number
  /** The same gain, averaged over all recorded models of about the strength of either: less noise than one pair. */
  readonly groupGain: number
  /** US dollars of the call to either model, where the set has them. */
  readonly cost: { readonly small: number; readonly big: number } | undefined
  readonly row: OutcomeRow
}

/** What is read of a line of a set; the README beside the data describes the rest. */
export interface OutcomeRow {
  readonly prompt: string
  readonly dom?: string | undefined
  readonly cost?: Readonly<Record<string, number | null>> | undefined
  /** Model -> outcome, 0..1. */
  readonly y: Readonly<Record<string, number | null>>
  /** 1 = RouteLLM drops the prompt as near its own training data. */
  readonly contaminated?: number | undefined
  readonly tools?:
    | readonly {
        readonly name: string
        readonly description?: string | undefined
        readonly parameters?: JsonObject | undefined
      }[]
    | undefined
}

const outcomeRow: z.ZodType<OutcomeRow> = z.object({
  prompt: z.string(),
  dom: z.string().optional(),
  cost: z.record(z.string(), z.number().nullable()).optional(),
  y: z.record(z.string(), z.number().nullable()),
  contaminated: z.number().optional(),
  tools: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().optional(),
        parameters: z.record(z.string(), z.json()).optional(),
      }),
    )
    .optional(),
})

export interface Pair {
  readonly weak: string
  readonly strong: string
}
const pair = z.object({ weak: z.string(), strong: z.string() })

export interface OutcomeFile {
  readonly name: string
  readonly set: string
  readonly sha256: string
  readonly rows: readonly OutcomeRow[]
  readonly pair: Pair
}

/**
 * The files of a folder that hold outcomes, each with the pair it is scored with. `sets` = names of the wanted ones; absent = all.
 * Throws Error with one sentence where the folder has none.
 */
export function readOutcomeFiles(folder: URL, sets?: readonly string[]): OutcomeFile[] {
  const path = fileURLToPath(folder)
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz')) : []
  const setOf = (name: string): string => name.split('.')[0] as string
  const wanted = sets === undefined ? names.sort() : names.filter((name) => sets.includes(setOf(name)))
  if (sets !== undefined) wanted.sort((a, b) => sets.indexOf(setOf(a)) - sets.indexOf(setOf(b)))
  const pairsFile = new URL('pairs.json', folder)
  const pairs = existsSync(pairsFile) ? (JSON.parse(readFileSync(pairsFile, 'utf8')) as Record<string, unknown>) : {}
  const files = wanted.flatMap((name): OutcomeFile[] => {
    const packed = readFileSync(new URL(name, folder))
    // Some prompts hold other line separators than \n, so nothing else may split.
    const lines = gunzipSync(packed)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
    const set = setOf(name)
    // Utterances with intents and answers without outcomes lie in the same folder.
    if (!outcomeRow.safeParse(JSON.parse(lines[0] ?? 'null')).success) return []
    const rows = lines.map((line) => outcomeRow.parse(JSON.parse(line)))
    return [{ name, set, sha256: sha256(packed), rows, pair: pairOf(set, pairs, rows) }]
  })
  if (files.length === 0) throw new Error(`The recorded outcomes are not there: ${path} has no *.jsonl.gz with them.`)
  return files
}

/**
 * Outcomes of one's own traffic: JSON lines `{prompt, tools?, y: {model: quality 0..1}}`. Without names of models, its weakest and
 * its strongest are the pair. Throws Error naming the file, and the line that is not one.
 */
export function readOutcomeLog(path: string, models: { readonly small?: string; readonly big?: string }): OutcomeFile {
  const bytes = readFileSync(path)
  const rows = bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line, i): OutcomeRow[] => {
      if (line.trim() === '') return []
      try {
        return [outcomeRow.parse(JSON.parse(line))]
      } catch (cause) {
        throw new Error(`Line ${i + 1} of ${path} is no {"prompt": …, "y": {model: quality}}.`, { cause })
      }
    })
  const nearest = pairOf('log', {}, rows)
  const pair = { weak: models.small ?? nearest.weak, strong: models.big ?? nearest.strong }
  if (!rows.some(({ y }) => y[pair.weak] != null && y[pair.strong] != null)) {
    throw new Error(`No line of ${path} has outcomes of both ${pair.weak} and ${pair.strong}.`)
  }
  return { name: basename(path), set: 'log', sha256: sha256(bytes), rows, pair }
}

/** The pair that the folder names for the set; else the built-in one of the set or of the nearest name; else its weakest and strongest model. */
function pairOf(set: string, named: Record<string, unknown>, rows: readonly OutcomeRow[]): Pair {
  const inFolder = pair.safeParse(named[set])
  if (inFolder.success) return inFolder.data
  const models = Object.keys(rows[0]?.y ?? {})
  const has = (name: string): string | undefined => models.find((model) => plainName(model) === plainName(name))
  const near = Object.entries(PAIRS)
    .map(([other, { small, big }]) => ({ alike: commonStart(other, set), weak: has(small), strong: has(big) }))
    .filter(({ weak, strong }) => weak !== undefined && strong !== undefined)
    .sort((a, b) => b.alike - a.alike)[0]
  if (near?.weak !== undefined && near.strong !== undefined) return { weak: near.weak, strong: near.strong }
  const byQuality = models
    .map((model) => ({ model, quality: mean(rows.map(({ y }) => y[model])) }))
    .sort((a, b) => a.quality - b.quality)
  return { weak: byQuality[0]?.model ?? '', strong: byQuality.at(-1)?.model ?? '' }
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Rows that RouteLLM drops as near its own training data are left out, so that figures compare with its published ones. */
export function examplesOf(set: string, pair: Pair, rows: readonly OutcomeRow[]): Example[] {
  const kept = rows.filter(
    ({ contaminated, y }) => contaminated !== 1 && y[pair.weak] != null && y[pair.strong] != null,
  )
  const group = modelsLike(pair, kept)
  const named = pairNamed(pair.weak, pair.strong)
  const costOf = ({ cost }: OutcomeRow): Example['cost'] => {
    const [small, big] = [cost?.[pair.weak], cost?.[pair.strong]]
    return small == null || big == null ? undefined : { small, big }
  }
  return kept
    .map((row) => ({ row, features: featuresOf(requestOf(row)) }))
    .map(({ row, features }) => ({
      set,
      pair: named,
      domain: row.dom ?? '',
      kind: kindOf(features.counts),
      stem: stemOf(row.prompt),
      features,
      cost: costOf(row),
      row,
      small: row.y[pair.weak] as number,
      big: row.y[pair.strong] as number,
      groupGain: mean(group.strong.map((name) => row.y[name])) - mean(group.weak.map((name) => row.y[name])),
    }))
}

/** Models count as alike when their means over the set differ by at most this. */
const ALIKE = 0.12

function modelsLike(pair: Pair, rows: readonly OutcomeRow[]): { weak: string[]; strong: string[] } {
  const names = Object.keys(rows[0]?.y ?? {})
  const quality = new Map(names.map((name) => [name, mean(rows.map(({ y }) => y[name]))]))
  const weak = quality.get(pair.weak) ?? 0
  const strong = quality.get(pair.strong) ?? 1
  const middle = (weak + strong) / 2
  const near = (at: number, isSide: (quality: number) => boolean): string[] =>
    names.filter((name) => Math.abs((quality.get(name) as number) - at) <= ALIKE && isSide(quality.get(name) as number))
  return { weak: near(weak, (quality) => quality <= middle), strong: near(strong, (quality) => quality > middle) }
}

export function mean(values: readonly (number | null | undefined)[]): number {
  const known = values.filter((value) => value != null)
  return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** The rule that the data was split by: what stands before the last line `A. …`, lower case, other characters one space. */
export function stemOf(prompt: string): string {
  const lines = prompt.split('\n')
  const options = lines.findLastIndex((line) => /^A[.)]/.test(line))
  const question = options > 0 ? lines.slice(0, options).join('\n') : prompt
  return question
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim()
}

/** One of `folds` parts, the same for every example of a stem. */
export function foldOf(stem: string, folds: number): number {
  const hash = Number.parseInt(createHash('sha256').update(stem).digest('hex').slice(0, 8), 16)
  // The hash modulo 100 split off the hold-out already; what is left of it is not even.
  return Math.floor(hash / 100) % folds
}

export function requestOf(row: OutcomeRow): ChatRequest {
  const tools = (row.tools ?? []).map((tool): FunctionTool => ({
    kind: 'function',
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    ...(tool.parameters === undefined ? {} : { parameters: tool.parameters }),
  }))
  return askOf(row.prompt, { tools })
}
