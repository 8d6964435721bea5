import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { ParseArgsOptionsConfig } from 'node:util'
import { loadStateLocation } from '../config/load.ts'
import { reportPage } from '../report/report-page.ts'
import { routedCall, type RouteSides } from '../report/routed-call.ts'
import { Traffic } from '../report/traffic.ts'
import {
  chartOf,
  curveOf,
  curveRows,
  intentRows,
  reasonRows,
  summary,
  withoutCurve,
} from '../report/traffic-figures.ts'
import { seededRandom } from '../simulator/random.ts'
import { columns } from './columns.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { configFlagsOf, parseFlags } from './config-flags.ts'
import { styleFor, type Style } from './style.ts'
import { wrapText } from './wrap-text.ts'

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  log: { type: 'string' },
  days: { type: 'string' },
  out: { type: 'string' },
  route: { type: 'string' },
} satisfies ParseArgsOptionsConfig
const DAY_MS = 86_400_000
const DAYS = 30
const PROGRESS_LINES = 50_000
const WIDTH = 100

export const routerReport: Command = {
  name: 'report',
  summary: 'draw what your own traffic cost and gained, and would have at other settings',
  usage: `switchyard router report [flags]

Reads the event log (or a request log) and draws cost against quality: by score, at random, all small, all big, and what the route does
now. Prices are those of the log's own bills. Quality is what the router predicts, not what was measured. Writes routing.svg and
routing.html, which need no network and no script, and prints the table.

  --log FILE        log to read (default: the configured event log, and the file before it)
  --days NUMBER     calls of the last so many days (default ${DAYS})
  --route NAME      calls of this route (default auto)
  --out DIR         where the files go (default: the working directory)
  --config FILE     configuration file, to find the log and the sides of the route (as for "serve")
  --data-dir DIR    the service's data directory`,
  async run(args, io) {
    const { values } = parseFlags(args, OPTIONS)
    const days = daysOf(values['days'])
    const route = (values['route'] as string | undefined) ?? 'auto'
    const { events, routes } = loadStateLocation(configFlagsOf({ ...values, log: undefined }), io)
    if (route !== 'auto' && !Object.hasOwn(routes, route))
      throw new UsageError(
        `There is no route ${route} in the configuration. It has ${['auto', ...Object.keys(routes).filter((name) => name !== 'auto')].join(', ')}.`,
      )
    const paths = logsOf(values['log'] as string | undefined, events, io)
    const traffic = new Traffic(seededRandom(1))
    for (const path of paths) await readInto(traffic, path, { route, sinceMs: Date.now() - days * DAY_MS, routes }, io)
    const where = `${paths.at(-1)} (last ${days} days, route ${route})`
    const style = styleFor(io.stdout, io.env)
    const missing = withoutCurve(traffic, where)
    if (missing !== undefined) {
      for (const line of wrapText(missing, WIDTH)) io.stdout.write(`${style.warning(line)}\n`)
      if (traffic.calls > 0) print(tablesOf(traffic), io, style)
      return EXIT.ok
    }
    const curve = curveOf(traffic, seededRandom(2))
    const title = `Cost and quality of the route ${route}`
    const chart = chartOf(traffic, curve, title)
    const tables = [{ title: 'Settings', rows: curveRows(curve) }, ...tablesOf(traffic)]
    const folder = resolve(io.cwd, (values['out'] as string | undefined) ?? '.')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'routing.svg'), chart)
    writeFileSync(
      join(folder, 'routing.html'),
      reportPage({ title, summary: summary(traffic), chart, tables, notes: NOTES }),
    )
    for (const line of wrapText(summary(traffic), WIDTH)) io.stdout.write(`${line}\n`)
    print(tables, io, style)
    for (const note of NOTES) for (const line of wrapText(note, WIDTH)) io.stdout.write(`${style.faint(line)}\n`)
    io.stdout.write(`\n${join(folder, 'routing.html')}\n${join(folder, 'routing.svg')}\n`)
    return EXIT.ok
  },
}

const NOTES = [
  'Gain is what the router predicts the big side would add to all-small, in points of 100; the interval covers which calls came, not how wrong the prediction may be.',
  "Costs are worked out with each side's price per token by the bills in the log. Now = the sides that really answered, escalations with both bills.",
]

interface Table {
  readonly title: string
  readonly rows: readonly (readonly string[])[]
}

function tablesOf(traffic: Traffic): readonly Table[] {
  return [
    { title: 'Reasons', rows: reasonRows(traffic) },
    { title: 'Intents', rows: intentRows(traffic) },
  ]
}

function print(tables: readonly Table[], io: Io, style: Style): void {
  for (const { title, rows } of tables) {
    const [head = '', ...lines] = columns(rows, ['left', 'right'])
    io.stdout.write(`\n${style.heading(title)}\n${style.faint(head)}\n${lines.join('\n')}\n`)
  }
}

/** The files, oldest first. Throws UsageError where there is none. */
function logsOf(named: string | undefined, configured: string | undefined, { cwd }: Io): readonly string[] {
  if (named === undefined && configured === undefined)
    throw new UsageError('The configuration writes no event log (telemetry.events). Name a log with --log.')
  const path = named === undefined ? (configured as string) : resolve(cwd, named)
  const found = (named === undefined ? [`${path}.1`, path] : [path]).filter((each) => existsSync(each))
  if (found.length === 0)
    throw new UsageError(`There is no log ${path}. Name one with --log, or the service's configuration with --config.`)
  return found
}

async function readInto(
  traffic: Traffic,
  path: string,
  wanted: { readonly route: string; readonly sinceMs: number; readonly routes: RouteSides },
  { stderr }: Io,
): Promise<void> {
  let count = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (++count % PROGRESS_LINES === 0 && stderr.isTty) stderr.write(`\r\u001b[K${path}: ${count} lines`)
    const call = routedCall(line, wanted.routes)
    if (call !== undefined && call.route === wanted.route && call.timeMs >= wanted.sinceMs) traffic.add(call)
  }
  if (count >= PROGRESS_LINES && stderr.isTty) stderr.write('\r\u001b[K')
}

function daysOf(text: unknown): number {
  if (text === undefined) return DAYS
  if (typeof text === 'string' && /^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text)
  throw new UsageError(`--days ${String(text)} is no number of days. Write it as in --days ${DAYS}.`)
}
