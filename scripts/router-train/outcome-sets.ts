/** Reads the recorded outcomes of small and big models and makes training examples of them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { ChatRequest, FunctionTool, JsonObject } from '../../src/protocol/request.ts'
import { featuresOf, type RoutingFeatures } from '../../src/routing/features.ts'

/**
 * Sets that one head is trained on, each a file `<name>.train.jsonl.gz`, and the family of its pair of models: inside a family
 * the recorded pairs are about alike, so that one set gaining more than another says something about its requests.
 */
const FAMILIES: Readonly<Record<string, string>> = {
  routellm_mmlu: 'mixtral to gpt-4',
  routellm_gsm8k: 'mixtral to gpt-4',
  routerbench_subset: 'mixtral to gpt-4',
  mmlu_pro: 'llama-3.1-8b to a hosted model of 2024',
  zeroeval_gsm8k: 'llama-3.1-8b to a hosted model of 2024',
  zeroeval_math_l5: 'llama-3.1-8b to a hosted model of 2024',
  fusionbench: 'llama-3.1-8b to nemotron-51b',
  bfcl_v1: 'llama-3-8b to a hosted model of 2024',
}

export interface Example {
  readonly set: string
  /** Pairs of models that are about alike; a set outside the known ones is its own. */
  readonly family: string
  /** The question without its options, normalised: the same question in two sets has the same stem. */
  readonly stem: string
  readonly features: RoutingFeatures
  /** Outcome of the pair that the set is scored with, 0..1 each. */
  readonly small: number
  readonly big: number
  /** The same gain, averaged over all recorded models of about the strength of either: less noise than one pair. */
  readonly groupGain: number
}

/** What is read of a line of a set; the README beside the data describes the rest. */
export interface OutcomeRow {
  readonly prompt: string
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

/** All examples of all sets, in file order. Throws Error with one sentence where the data is absent. */
export function readExamples(folder: URL): Example[] {
  if (!existsSync(new URL('pairs.json', folder))) {
    throw new Error(`The recorded outcomes are not there: ${fileURLToPath(folder)} has no pairs.json.`)
  }
  const named = JSON.parse(readFileSync(new URL('pairs.json', folder), 'utf8')) as Record<string, unknown>
  return Object.keys(FAMILIES).flatMap((set) => {
    const packed = readFileSync(new URL(`${set}.train.jsonl.gz`, folder))
    // Some prompts hold other line separators than \n, so nothing else may split.
    const lines = gunzipSync(packed).toString('utf8').split('\n')
    const rows = lines.filter((line) => line !== '').map((line) => outcomeRow.parse(JSON.parse(line)))
    return examplesOf(set, pair.parse(named[set]), rows)
  })
}

/** Rows that RouteLLM drops as near its own training data are left out, so that figures compare with its published ones. */
export function examplesOf(set: string, pair: Pair, rows: readonly OutcomeRow[]): Example[] {
  const kept = rows.filter(
    ({ contaminated, y }) => contaminated !== 1 && y[pair.weak] != null && y[pair.strong] != null,
  )
  const group = modelsLike(pair, kept)
  return kept.map((row) => ({
    set,
    family: FAMILIES[set] ?? set,
    stem: stemOf(row.prompt),
    features: featuresOf(requestOf(row)),
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

function mean(values: readonly (number | null | undefined)[]): number {
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

function requestOf(row: OutcomeRow): ChatRequest {
  return {
    model: 'auto',
    messages: [{ role: 'user', content: row.prompt }],
    tools: (row.tools ?? []).map((tool): FunctionTool => ({
      kind: 'function',
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      ...(tool.parameters === undefined ? {} : { parameters: tool.parameters }),
    })),
    n: 1,
    sampling: {},
    openai: {},
    passed: {},
    stream: false,
    includeUsage: false,
    legacyFunctions: false,
    dropped: [],
    bodyBytes: row.prompt.length,
  }
}
