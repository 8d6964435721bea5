import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ParseArgsOptionsConfig } from 'node:util'
import { capEffect, type Caps } from '../budget/report/cap-effect.ts'
import { LEDGER_FILE } from '../budget/ledger/ledger-file.ts'
import { readTaskHistory, type HistoryFilter } from '../budget/report/task-history.ts'
import type { TaskRecord } from '../budget/report/task-record.ts'
import { taskReport } from '../budget/report/task-report.ts'
import { readWholeLedger } from '../budget/ledger/whole-ledger.ts'
import { loadStateLocation } from '../config/load.ts'
import { nearest } from '../config/problems.ts'
import { midnightOf } from '../shared/day.ts'
import { usdToNano } from '../shared/money.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { configFlagsOf, parseFlags } from './config-flags.ts'
import { TEMPORARY, withRedisCopy } from './redis-copy.ts'
import { styleFor } from './style.ts'
import { reportCsv } from './task-report-csv.ts'
import { reportJson } from './task-report-json.ts'
import { reportLines } from './task-report-text.ts'

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  type: { type: 'string' },
  tenant: { type: 'string' },
  format: { type: 'string' },
  'cap-tool-calls': { type: 'string' },
  'cap-usd': { type: 'string' },
} as const satisfies ParseArgsOptionsConfig

const FORMATS = ['table', 'csv', 'json'] as const
const SUBJECTS = ['tasks']
const DAY_MS = 86_400_000
/** The cap that is played through where none is named: the tool calls of the built-in type `server-run`, and half a dollar. */
const EXAMPLE: Caps = { toolCalls: 6, usd: usdToNano(0.5) }

type Values = Readonly<Record<string, unknown>>

export const report: Command = {
  name: 'report',
  summary: 'report on tasks: cost by type and outcome, and what a cap would have saved',
  usage: `switchyard report tasks [flags]

What tasks cost, by type and by how they ended, from the ledger's files or Redis; a running service is not disturbed. Requests without a task id are
not in it. The last lines say what a cap would have done to these tasks.

  --since DAY           tasks with their last request on this day or later (UTC), as in 2027-01-01
  --until DAY           ... on this day or earlier
  --type NAME           tasks of this type only
  --tenant NAME         tasks of this tenant only
  --format FORMAT       table (default), csv or json
  --cap-tool-calls N    --cap-usd USD    the cap to play through (default ${EXAMPLE.toolCalls} tool calls and $0.50)
  --config FILE         configuration file, to find the data directory (as for "serve")
  --data-dir DIR        the service's data directory`,
  async run(args, io) {
    const { values, positionals } = parseFlags(args, OPTIONS, true)
    checkSubject(positionals)
    const format = formatOf(values)
    const caps = capsOf(values)
    const tasks = await readTasks(values, io)
    const figures = taskReport(tasks)
    const effect = capEffect(tasks, caps)
    switch (format) {
      case 'csv':
        io.stdout.write(reportCsv(figures))
        break
      case 'json':
        io.stdout.write(`${JSON.stringify(reportJson(figures, caps, effect), undefined, 2)}\n`)
        break
      case 'table':
        for (const line of reportLines(figures, caps, effect, styleFor(io.stdout, io.env))) io.stdout.write(`${line}\n`)
        break
      default:
        format satisfies never
    }
    return EXIT.ok
  },
}

/** Throws UsageError, ConfigError or StoreProblem. */
async function readTasks(values: Values, io: Io): Promise<readonly TaskRecord[]> {
  const filter = filterOf(values)
  const { dataDir, taskIdleMinutes, storeUrl } = loadStateLocation(configFlagsOf(values), io)
  const options = { nowMs: Date.now(), idleMs: taskIdleMinutes * 60_000 }
  const url = storeUrl()
  if (url !== undefined) return withRedisCopy(url, TEMPORARY, (db) => readTaskHistory(db, filter, options))
  const path = join(dataDir, LEDGER_FILE)
  if (!existsSync(path))
    throw new UsageError(
      `There is no ledger in ${dataDir}. Name the service's data directory with --data-dir or --config.`,
    )
  return readWholeLedger(path, (db) => readTaskHistory(db, filter, options))
}

function checkSubject(positionals: readonly string[]): void {
  const [subject, ...rest] = positionals
  if (subject === undefined) throw new UsageError('report what? There is "switchyard report tasks".')
  if (!SUBJECTS.includes(subject)) {
    const near = nearest(subject, SUBJECTS)
    throw new UsageError(`There is no report on "${subject}".${near === undefined ? '' : ` Did you mean "${near}"?`}`)
  }
  if (rest.length > 0) throw new UsageError(`report tasks takes flags only; ${rest.join(' ')} is too much.`)
}

function formatOf(values: Values): (typeof FORMATS)[number] {
  const given = values['format'] ?? 'table'
  const format = FORMATS.find((each) => each === given)
  if (format === undefined) throw new UsageError(`--format ${String(given)} is none of ${FORMATS.join(', ')}.`)
  return format
}

function capsOf(values: Values): Caps {
  const calls = values['cap-tool-calls']
  const usd = values['cap-usd']
  if (calls === undefined && usd === undefined) return EXAMPLE
  if (calls !== undefined && !(typeof calls === 'string' && /^\d{1,9}$/.test(calls)))
    throw new UsageError(`--cap-tool-calls ${String(calls)} is no number of calls. Write it as in --cap-tool-calls 6.`)
  if (usd !== undefined && !(typeof usd === 'string' && /^\d{1,6}(?:\.\d{1,9})?$/.test(usd)))
    throw new UsageError(`--cap-usd ${String(usd)} is no amount of dollars. Write it as in --cap-usd 0.50.`)
  return {
    ...(calls === undefined ? {} : { toolCalls: Number(calls) }),
    ...(usd === undefined ? {} : { usd: usdToNano(Number(usd)) }),
  }
}

/** Days in UTC, both included. */
function filterOf(values: Values): HistoryFilter {
  const day = (name: 'since' | 'until'): number | undefined => {
    const text = values[name]
    if (text === undefined) return undefined
    const ms = midnightOf(String(text))
    if (ms === undefined) throw new UsageError(`--${name} ${String(text)} is no day. Write it as in 2027-01-01.`)
    return ms
  }
  const since = day('since')
  const until = day('until')
  if (since !== undefined && until !== undefined && until < since)
    throw new UsageError('--until is before --since: there is no day between them.')
  const { type, tenant } = values
  return {
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until + DAY_MS }),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof tenant === 'string' ? { tenant } : {}),
  }
}
