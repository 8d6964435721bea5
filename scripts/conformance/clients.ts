import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

const CLIENTS: Readonly<Record<string, string>> = {
  'openai-client.test.ts': 'openai',
  'openai-wires.test.ts': 'openai',
  'openai-responses.test.ts': 'openai',
  'completions.test.ts': 'openai',
  'embeddings.test.ts': 'openai',
  'codex.test.ts': 'as Codex',
  'ai-sdk.test.ts': 'ai (Vercel)',
  'signed-thinking.test.ts': 'openai',
  'ai-sdk-openai.test.ts': '@ai-sdk/openai',
  'ai-sdk-anthropic.test.ts': '@ai-sdk/anthropic',
  'openai-agents.test.ts': '@openai/agents',
  'langchain-openai.test.ts': '@langchain/openai',
  'langchain-anthropic.test.ts': '@langchain/anthropic',
  'llamaindex.test.ts': 'LlamaIndex.TS',
  'anthropic-client.test.ts': '@anthropic-ai/sdk',
  'anthropic-wires.test.ts': '@anthropic-ai/sdk',
  'claude-code.test.ts': 'as Claude Code',
}

interface Row {
  readonly client: string
  readonly title: string
  readonly status: string
  readonly failureMessages?: readonly string[]
}

/** Rows that differ only in the wire behind are one, which holds if all do. */
function overWires(rows: readonly Row[]): readonly Row[] {
  const groups = Map.groupBy(rows, ({ client, title }) => `${client} ${title.replace(BEHIND, '')}`)
  return [...groups.values()].map((group) => {
    const [first] = group as [Row, ...Row[]]
    const wires = group.map(({ title }) => BEHIND.exec(title)?.[1]).filter((wire) => wire !== undefined)
    const title = first.title.replace(BEHIND, ` (${wires.join(', ')} behind)`)
    return { ...(group.find(({ status }) => status !== 'passed') ?? first), title }
  })
}
const BEHIND = / \((\w+) behind\)$/

/** Runs the official clients against the real process and prints one row per promise. Returns whether all hold. */
export function runClients(asMarkdown: boolean): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-conformance-'))
  const file = join(dir, 'report.json')
  try {
    if (process.stderr.isTTY) process.stderr.write('running the official clients against the service ...\n')
    const files = Object.keys(CLIENTS).map((name) => `test/conformance/${name}`)
    const flags = ['--project', 'system', ...files, '--reporter=json', `--outputFile=${file}`]
    spawnSync('npx', ['vitest', 'run', ...flags], { stdio: ['ignore', 'ignore', 'inherit'] })
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    const rows = report.testResults.flatMap((suite) =>
      suite.assertionResults.map((row) => ({ client: CLIENTS[basename(suite.name)] ?? basename(suite.name), ...row })),
    )
    const shown = asMarkdown ? overWires(rows) : rows
    if (asMarkdown) console.log('| client | promise | |\n|---|---|---|')
    for (const row of shown) {
      const mark = row.status === 'passed' ? 'yes' : row.status === 'failed' ? 'NO' : 'skipped'
      console.log(
        asMarkdown
          ? `| ${row.client} | ${row.title} | ${mark} |`
          : `${mark.padEnd(8)}${row.client.padEnd(22)}${row.title}`,
      )
      if (mark === 'NO') console.error(row.failureMessages?.join('\n'))
    }
    const failed = rows.filter((row) => row.status === 'failed').length
    console.log(`\n${rows.length - failed} of ${rows.length} rows hold`)
    return failed === 0 && rows.length > 0
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
