/**
 * `npm run report:spend`: what recorded agent sessions cost, and what budgets of a task would have done to them. Replays every call of
 * the 710 sessions in `../shared/data/traces` (or the folder given) through the price book, the hold of an attempt and the budget
 * rule. Prints Markdown tables and writes `benchmarks/results/spend.json`.
 */
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Progress } from '../benchmarks/support/progress.ts'
import { machine, writeReport } from '../benchmarks/support/report.ts'
import { budgetTrial, DEFAULT_USD, FACTORS } from './report-spend/budget-trials.ts'
import { ceilings } from './report-spend/ceilings.ts'
import { spendPage } from './report-spend/page.ts'
import { measurePromptBytes } from './report-spend/prompt-bytes.ts'
import { anthropicPrice } from './report-spend/recorded-cost.ts'
import { readSessions } from './report-spend/sessions.ts'
import { spendFigures } from './report-spend/spend-figures.ts'
import { trialSetups } from './report-spend/trial-setups.ts'
import { readOptions } from './support/read-options.ts'

const { positionals } = readOptions(
  'npm run report:spend -- [DIR]: what recorded sessions of agents cost under prices and limits; DIR is ../shared/data/traces.',
  {},
)
const given = positionals[0]
const folder = given === undefined ? new URL('../../shared/data/traces/', import.meta.url) : pathToFileURL(`${given}/`)
const OPUS = 'claude-opus-4-5'

function main(): void {
  if (!existsSync(new URL('claude-code-calls.csv.gz', folder)))
    throw new Error(
      `There are no recorded sessions in ${folder.pathname}: name the folder that has claude-code-calls.csv.gz.`,
    )
  const nowMs = Date.now()
  const opus = anthropicPrice(OPUS, nowMs)
  const bytes = measurePromptBytes(folder)
  const sessions = readSessions(folder)
  const setups = trialSetups(opus, bytes, sessions)
  const progress = new Progress(setups.length + 1)
  progress.step('cost of each session')
  const figures = spendFigures(sessions, opus, nowMs)
  const trials = setups.map((setup) => {
    progress.step(
      `budgets with holds by ${setup.prompt} prompt, ${setup.rate}, cap ${setup.rule.lowersCap ? 'lowered' : 'as sent'}`,
    )
    return budgetTrial(sessions, setup)
  })
  const most = ceilings(sessions, opus, FACTORS[0], DEFAULT_USD)
  progress.end()
  console.log(spendPage({ figures, trials, most, bytes, source: opus.source }))
  const { cpuModel, cores, node } = machine()
  console.log(`\n${String(cpuModel).trim()}, ${String(cores)} cores, Node ${String(node)}`)
  console.error(`\nAs JSON: ${writeReport('spend', { price: opus, bytes, figures, trials, most })}`)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
