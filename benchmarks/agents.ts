/** What of recorded coding-agent sessions could move to a local model, at warm-cache prices. See docs/routing.md. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { readSessions } from '../scripts/report-spend/sessions.ts'
import { scheduleOf } from '../src/budget/prices/price-book.ts'
import { priceAt } from '../src/budget/prices/price-schedule.ts'
import { moveSession, UNITS, type Moved, type Unit } from './agents/moving.ts'
import { writeReport } from './support/report.ts'
import { seededRandom } from './support/router-lines.ts'
import { table } from './support/table.ts'

const HELP = `npm run bench:agents -- [--data DIR] [--json]

Share of calls and of dollars of the recorded Claude Code sessions that a local model with a window of 32k, 128k or 1M tokens could take.
--data DIR  claude-code-calls.csv.gz and claude-code-tasks.csv.gz (../shared/data/traces)
--json      ends with one line of JSON`

const WINDOWS = { '32k': 32_768, '128k': 131_072, '1M': 1_048_576 } as const
/** An open model at a host that reads cached prompts at half the price: stands for a local one that has to pay for itself. */
const LOCAL = { provider: 'groq', model: 'openai/gpt-oss-120b' } as const
const SAMPLES = 200

const ASSUMPTIONS = `
"calls", "dollars": what fits the window (prompt and answer), by number and by what it is charged today. This is an upper bound: nothing
is recorded that says whether the smaller model would have done the work.
"saved": part of the whole bill, the local model paid at ${LOCAL.provider}/${LOCAL.model} of the price book; "if free": its tokens cost nothing.
Hosted prices of today's book; cached tokens at the cache price, all others as written to it; both sides keep what they were sent for the
whole session, and have nothing in their cache that went to the other. So whoever takes over pays for the prefix anew.
"whole turns": from one ask of a person to the next. A call that brings a tool's result belongs to the model that called the tool, so
"whole calls" is not what a router may do; it is what the sizes alone would allow.`

interface Share {
  readonly calls: number
  readonly dollars: number
  readonly dollarsSe: number
  /** Part of the whole bill that is saved when the local model is paid at `LOCAL`, and when it costs nothing. */
  readonly saved: number
  readonly savedIfFree: number
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const folder =
  values.data === undefined
    ? new URL('../../shared/data/traces/', import.meta.url)
    : pathToFileURL(`${resolve(values.data)}/`)
if (values.help) console.log(HELP)
else if (existsSync(new URL('claude-code-calls.csv.gz', folder))) main()
else {
  console.error(`${fileURLToPath(folder)} has no claude-code-calls.csv.gz. Name a folder that has with --data.`)
  process.exitCode = 2
}

function main(): void {
  const sessions = readSessions(folder)
  const nowMs = Date.now()
  const price = priceAt(scheduleOf(LOCAL.provider, LOCAL.model), nowMs)
  if (price === undefined) throw new Error(`The price book does not know ${LOCAL.provider}/${LOCAL.model}.`)
  const calls = sessions.reduce((sum, session) => sum + session.calls.length, 0)
  const turns = sessions.reduce((sum, session) => sum + session.calls.filter((call) => !call.answersTool).length, 0)
  const shares = Object.fromEntries(
    Object.entries(WINDOWS).map(([name, window]) => [
      name,
      Object.fromEntries(
        UNITS.map((unit) => [unit, shareOf(sessions.map((each) => moveSession(each, unit, window, price, nowMs)))]),
      ) as Record<Unit, Share>,
    ]),
  )
  console.log(`Coding agents: ${calls} calls in ${turns} turns of ${sessions.length} recorded Claude Code sessions.`)
  const lines = Object.entries(shares).flatMap(([window, units]) =>
    UNITS.map((unit) => {
      const { calls: moved, dollars, dollarsSe, saved, savedIfFree } = units[unit]
      const error = `±${(100 * dollarsSe).toFixed(1)}`
      return [
        `${window}, whole ${unit}s`,
        percent(moved),
        `${percent(dollars)} ${error}`,
        percent(saved),
        percent(savedIfFree),
      ]
    }),
  )
  console.log(table(['window, what moves', 'calls', 'dollars', 'saved', 'saved if free'], lines))
  console.log(ASSUMPTIONS)
  console.log(writeReport('agents', { calls, turns, sessions: sessions.length, shares }))
  if (values.json) console.log(JSON.stringify({ calls, turns, sessions: sessions.length, shares }))
}

function shareOf(sessions: readonly Moved[]): Share {
  const sum = (of: (moved: Moved) => number, among: readonly Moved[] = sessions): number =>
    among.reduce((total, each) => total + of(each), 0)
  const usd = sum((each) => each.usd)
  const random = seededRandom(1)
  const drawn = Array.from({ length: SAMPLES }, () => {
    const sample = sessions.map(() => sessions[Math.floor(random() * sessions.length)] as Moved)
    return sum((each) => each.movedUsd, sample) / sum((each) => each.usd, sample)
  })
  const mean = drawn.reduce((total, each) => total + each, 0) / SAMPLES
  return {
    calls: sum((each) => each.movedCalls) / sum((each) => each.calls),
    dollars: sum((each) => each.movedUsd) / usd,
    dollarsSe: Math.sqrt(drawn.reduce((total, each) => total + (each - mean) ** 2, 0) / (SAMPLES - 1)),
    saved: 1 - sum((each) => each.hostedUsd + each.localUsd) / usd,
    savedIfFree: 1 - sum((each) => each.hostedUsd) / usd,
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
