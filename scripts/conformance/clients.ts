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
  'openai-responses.test.ts': 'openai',
  'completions.test.ts': 'openai',
  'embeddings.test.ts': 'openai',
  'codex.test.ts': 'as Codex',
  'ai-sdk.test.ts': 'ai (Vercel)',
  'anthropic-client.test.ts': '@anthropic-ai/sdk',
  'claude-code.test.ts': 'as Claude Code',
}

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
    if (asMarkdown) console.log('| client | promise | |\n|---|---|---|')
    for (const row of rows) {
      const mark = row.status === 'passed' ? 'yes' : row.status === 'failed' ? 'NO' : 'skipped'
      console.log(
        asMarkdown
          ? `| ${row.client} | ${row.title} | ${mark} |`
          : `${mark.padEnd(8)}${row.client.padEnd(19)}${row.title}`,
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
