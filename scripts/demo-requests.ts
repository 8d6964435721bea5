/**
 * Derives demo/requests.jsonl and demo/tools.json from the recorded data beside the repository; needed only to make them anew.
 * Deterministic: rows are taken at even distances from each set.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const SHARED = new URL('../../shared/data/', import.meta.url)
const DEMO = new URL('../demo/', import.meta.url)
const MAX_CHARS = 4000

interface Message {
  readonly role: string
  readonly content: string | null
  readonly tool_calls?: readonly unknown[]
}
interface Tool {
  readonly type: string
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: object }
}
interface Row {
  readonly source: string
  readonly messages: readonly Message[]
  /** Tools of this row, or the name of a set in tools.json. */
  readonly tools?: readonly Tool[] | string
}

if (!existsSync(SHARED))
  throw new Error('The recorded data are not here; demo/requests.jsonl is kept in the repository as it is.')

function read<Line>(name: string): readonly Line[] {
  return gunzipSync(readFileSync(new URL(name, SHARED)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

function spread<Item>(items: readonly Item[], count: number): readonly Item[] {
  return Array.from(
    { length: Math.min(count, items.length) },
    (_, i) => items[Math.floor((i * items.length) / count)] as Item,
  )
}

const size = (row: Row): number => JSON.stringify(row).length

/** Airline support agent: the transcript up to a user's turn. */
function airline(count: number): readonly Row[] {
  const system = readFileSync(new URL('agents/tau/airline_recorded_system_prompt.md', SHARED), 'utf8').slice(0, 1200)
  const rows = read<{ messages: readonly Message[] }>('agents/tau/airline_recorded_gpt4o.jsonl.gz').flatMap(
    (run, index) => {
      const turns = run.messages.flatMap((message, at) => (message.role === 'user' ? [at] : []))
      const at = turns[index % Math.max(1, Math.min(3, turns.length))]
      if (at === undefined) return []
      return [
        {
          source: 'tau-airline',
          tools: 'airline',
          messages: [{ role: 'system', content: system }, ...run.messages.slice(0, at + 1)],
        },
      ]
    },
  )
  return spread(
    rows.filter((row) => size(row) < MAX_CHARS),
    count,
  )
}

/** Single function-calling requests; dots in names become underscores, as hosted APIs want them. */
function functionCalls(count: number): readonly Row[] {
  const rows = read<{ messages: readonly Message[]; tools: readonly Tool[] }>('agents/bfcl/single_turn.jsonl.gz').map(
    (row) => ({
      source: 'bfcl',
      messages: row.messages,
      tools: row.tools.map((tool) => ({
        ...tool,
        function: { ...tool.function, name: tool.function.name.replaceAll('.', '_') },
      })),
    }),
  )
  return spread(
    rows.filter((row) => size(row) < MAX_CHARS / 2 && row.tools.length > 0),
    count,
  )
}

function questions(source: string, file: string, count: number): readonly Row[] {
  const rows = read<{ prompt: string }>(file).map((row) => ({
    source,
    messages: [{ role: 'user', content: row.prompt }],
  }))
  return spread(
    rows.filter((row) => size(row) < MAX_CHARS / 2),
    count,
  )
}

const sets = [
  airline(60),
  functionCalls(60),
  questions('gsm8k', 'routing/routellm_gsm8k.train.jsonl.gz', 40),
  questions('mmlu', 'routing/routellm_mmlu.train.jsonl.gz', 40),
]
const rows: Row[] = []
// Mixed, as a day's traffic is.
for (let i = 0; i < 60; i++) for (const set of sets) if (set[i] !== undefined) rows.push(set[i] as Row)
const tools = (JSON.parse(readFileSync(new URL('agents/tau/airline_tools.json', SHARED), 'utf8')) as Tool[]).map(
  ({ type, function: body }) => ({ type, function: body }),
)
writeFileSync(new URL('requests.jsonl', DEMO), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
writeFileSync(new URL('tools.json', DEMO), `${JSON.stringify({ airline: tools })}\n`)
console.log(`${rows.length} requests`)
