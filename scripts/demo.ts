/**
 * `npm run demo`: starts the real service with its simulator, plays 200 recorded agent requests and prints one table: where they
 * went and why, how long they took, and what they cost against sending everything to the big model.
 */
import cliProgress from 'cli-progress'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readOptions } from './support/read-options.ts'

readOptions(
  'npm run demo: plays 200 recorded agent requests against the simulator and prints where they went and what they cost. No options.',
  {},
)

const CONCURRENCY = 16
const BIG_USD_PER_M = { input: 1.25, output: 10 }
const MAX_TOKENS = 200
const PROVIDER_VARIABLES = /^(?:OPENAI_|ANTHROPIC_|GEMINI_|SWITCHYARD_)/
const ROOT = new URL('../', import.meta.url)

interface DemoRow {
  readonly source: string
  readonly messages: readonly object[]
  readonly tools?: readonly object[] | string
}
interface Played {
  readonly route: string
  readonly reason: string
  readonly ms: number
  readonly costUsd: number
  readonly bigUsd: number
}

const rows = readFileSync(new URL('demo/requests.jsonl', ROOT), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as DemoRow)
const toolSets = JSON.parse(readFileSync(new URL('demo/tools.json', ROOT), 'utf8')) as Record<string, readonly object[]>

const dataDir = mkdtempSync(join(tmpdir(), 'switchyard-demo-'))
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PROVIDER_VARIABLES.test(name)))
const args = ['serve', '--port', '0', '--simulate', '--no-detect', '--data-dir', dataDir, '--log', 'off']
const child = spawn(process.execPath, [fileURLToPath(new URL('src/main.ts', ROOT)), ...args], {
  env,
  cwd: dataDir,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
try {
  const url = await ready()
  const started = performance.now()
  const played = await playAll(url)
  report(played, performance.now() - started)
} finally {
  child.kill('SIGTERM')
  await exited
  rmSync(dataDir, { recursive: true, force: true })
}

async function ready(): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^switchyard listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('The service ended before it was ready.')
}

async function playAll(url: string): Promise<readonly Played[]> {
  const bar = process.stderr.isTTY
    ? new cliProgress.SingleBar({ format: '{bar} {value}/{total} requests' }, cliProgress.Presets.shades_classic)
    : undefined
  bar?.start(rows.length, 0)
  const played: Played[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let row = rows[next++]; row !== undefined; row = rows[next++]) {
      played.push(await play(url, row))
      bar?.increment()
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  bar?.stop()
  return played
}

async function play(url: string, row: DemoRow): Promise<Played> {
  const tools = typeof row.tools === 'string' ? toolSets[row.tools] : row.tools
  const body = {
    model: 'auto',
    temperature: 0,
    max_tokens: MAX_TOKENS,
    messages: row.messages,
    ...(tools === undefined ? {} : { tools }),
  }
  const started = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-task-type': 'demo' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${row.source}: ${response.status} ${text}`)
  const { usage } = JSON.parse(text) as { usage: { prompt_tokens: number; completion_tokens: number; cost: number } }
  return {
    route: response.headers.get('x-route') ?? '?',
    reason: response.headers.get('x-route-reason') ?? '?',
    ms: performance.now() - started,
    costUsd: Number(response.headers.get('x-cost-usd')),
    bigUsd: (usage.prompt_tokens * BIG_USD_PER_M.input + usage.completion_tokens * BIG_USD_PER_M.output) / 1e6,
  }
}

function report(played: readonly Played[], tookMs: number): void {
  const groups = Map.groupBy(played, (each) => `${each.route}\0${each.reason}`)
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(12) : cell.padStart(12))).join('')
  const row = (name: string, reason: string, list: readonly Played[]): string => {
    const ms = list.map((each) => each.ms).toSorted((a, b) => a - b)
    const at = (share: number): string => (ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0).toFixed(0)
    const cost = list.reduce((sum, each) => sum + each.costUsd, 0)
    const big = list.reduce((sum, each) => sum + each.bigUsd, 0)
    return line([
      name,
      reason,
      String(list.length),
      at(0.5),
      at(0.95),
      cost.toFixed(6),
      big.toFixed(6),
      `${((cost / big) * 100).toFixed(0)} %`,
    ])
  }
  console.log(line(['route', 'reason', 'requests', 'p50 ms', 'p95 ms', 'cost $', 'all big $', 'of all big']))
  for (const [key, list] of [...groups].toSorted(([a], [b]) => a.localeCompare(b))) {
    const [route = '', reason = ''] = key.split('\0')
    console.log(row(route, reason, list))
  }
  console.log(row('all', '', played))
  console.log(
    `\n${played.length} requests in ${(tookMs / 1000).toFixed(1)} s. Answers, times and token counts are simulated; routing and prices are real.`,
  )
}
