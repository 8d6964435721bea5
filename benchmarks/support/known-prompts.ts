/** What the built-in intents make of recorded prompts whose kind is known, without the encoder: a sanity check, not a test set. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { FunctionTool, JsonObject } from '../../src/protocol/request.ts'
import { featuresOf } from '../../src/routing/features.ts'
import type { BuiltInIntents } from '../../src/routing/intent/built-in-intents.ts'
import { askOf } from '../../scripts/support/plain-call.ts'

interface KnownKind {
  readonly what: string
  readonly file: string
  readonly isOf?: (domain: string) => boolean
  readonly expected: readonly string[]
}

const KINDS: readonly KnownKind[] = [
  { what: 'function calls (BFCL)', file: 'bfcl_v1', expected: ['tool_use'] },
  { what: 'sums in words (GSM8K)', file: 'routellm_gsm8k', expected: ['maths'] },
  { what: 'formulas (MATH)', file: 'zeroeval_math_l5', expected: ['maths'] },
  {
    what: 'small programs (MBPP)',
    file: 'routerbench_subset',
    isOf: (domain) => /mbpp/i.test(domain),
    expected: ['code_edit'],
  },
  { what: 'multiple choice (MMLU)', file: 'routellm_mmlu', expected: ['reasoning', 'factual_question'] },
]
const MOST_ROWS = 500

interface PromptRow {
  readonly prompt: string
  readonly dom?: string
  readonly ds?: string
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly parameters?: JsonObject }[]
}

/** One line per kind: how many, what share got an expected name, and the most frequent names. */
export function builtInTable(builtIn: BuiltInIntents, folder: URL): Record<string, object> {
  const table: Record<string, object> = {}
  for (const { what, file, isOf, expected } of KINDS) {
    const path = new URL(`${file}.train.jsonl.gz`, folder)
    if (!existsSync(path)) continue
    const rows = gunzipSync(readFileSync(path))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as PromptRow)
      .filter(({ dom = '', ds = '' }) => isOf === undefined || isOf(`${ds} ${dom}`))
      .slice(0, MOST_ROWS)
    const names = new Map<string, number>()
    for (const { prompt, tools = [] } of rows) {
      const offered = tools.map((tool): FunctionTool => ({ kind: 'function', ...tool }))
      const { name } = builtIn.read(featuresOf(askOf(prompt, { tools: offered })))
      names.set(name, (names.get(name) ?? 0) + 1)
    }
    const share = (count: number): string => `${((100 * count) / Math.max(1, rows.length)).toFixed(0)} %`
    const right = expected.reduce((sum, name) => sum + (names.get(name) ?? 0), 0)
    const most = [...names].sort((a, b) => b[1] - a[1]).slice(0, 3)
    table[what] = {
      rows: rows.length,
      [`expected`]: `${expected.join(' or ')}: ${share(right)}`,
      'most frequent': most.map(([name, count]) => `${name} ${share(count)}`).join(', '),
    }
  }
  return table
}
