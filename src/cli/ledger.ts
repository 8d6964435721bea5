import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { backup as copyDatabase } from 'node:sqlite'
import { LEDGER_FILE, readLedgerFile } from '../budget/ledger-file.ts'
import { loadStateLocation } from '../config/load.ts'
import { nearest } from '../config/problems.ts'
import { callOverSocket, OperationRefused, ServiceUnreachable } from '../control/call-operation.ts'
import type { ShownAttempt } from '../control/ledger-operations.ts'
import { columns } from './columns.ts'
import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { configFlagsOf, parseFlags } from './config-flags.ts'

const LOCATION = { config: { type: 'string' }, 'data-dir': { type: 'string' } } as const
const RECONCILE = { ...LOCATION, 'cost-usd': { type: 'string' }, evidence: { type: 'string' } } as const

type Values = Readonly<Record<string, unknown>>

const ACTIONS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<void>>> = {
  backup,
  unresolved,
  reconcile,
}

export const ledger: Command = {
  name: 'ledger',
  summary: 'back up the ledger, list and settle attempts of unknown cost',
  usage: `switchyard ledger backup FILE
switchyard ledger unresolved
switchyard ledger reconcile ATTEMPT --cost-usd USD --evidence TEXT

backup copies the ledger into a new file, also while the service runs. unresolved lists attempts that were sent and whose cost is not
known (the service was killed, the provider failed): they count as spent. reconcile books what the provider's bill says about one of them
and keeps the evidence; it is done by the running service.

  --cost-usd USD      what the attempt cost, as in 0.0123; 0 if it is not on the bill
  --evidence TEXT     where that is known from, as in "usage page of 2027-01-31, request abc"
  --config FILE       configuration file, to find the data directory (as for "serve")
  --data-dir DIR      the service's data directory`,
  async run(args, io) {
    const [action = '', ...rest] = args
    const run = ACTIONS[action]
    if (run === undefined) {
      const near = nearest(action, Object.keys(ACTIONS))
      const hint = near === undefined ? `There are: ${Object.keys(ACTIONS).join(', ')}.` : `Did you mean "${near}"?`
      throw new UsageError(`switchyard ledger needs to know what to do. ${hint}`)
    }
    try {
      await run(rest, io)
    } catch (error) {
      if (error instanceof OperationRefused || error instanceof ServiceUnreachable) throw new UsageError(error.message)
      throw error
    }
    return EXIT.ok
  },
}

async function backup(args: readonly string[], io: Io): Promise<void> {
  const { values, positionals } = parseFlags(args, LOCATION, true)
  const target = resolve(io.cwd, only(positionals, 'the FILE to write'))
  if (existsSync(target)) throw new UsageError(`${target} is there already. Name a new file.`)
  const path = join(dataDirOf(values, io), LEDGER_FILE)
  if (!existsSync(path)) throw new UsageError(`There is no ledger at ${path}. Name its directory with --data-dir.`)
  const db = readLedgerFile(path)
  try {
    const pages = await copyDatabase(db, target)
    io.stdout.write(`${target}: ${pages} pages\n`)
  } finally {
    db.close()
  }
}

async function unresolved(args: readonly string[], io: Io): Promise<void> {
  const { values } = parseFlags(args, LOCATION)
  const { attempts } = (await ask(values, io, 'ledger.unresolved', {})) as {
    readonly attempts: readonly ShownAttempt[]
  }
  if (attempts.length === 0) {
    io.stdout.write('nothing is unresolved\n')
    return
  }
  const rows = attempts.map((each) => [each.attempt, each.at, each.tenant, each.task ?? '', each.model, each.held_usd])
  for (const line of columns([['attempt', 'sent', 'tenant', 'task', 'model', 'held usd'], ...rows]))
    io.stdout.write(`${line}\n`)
}

async function reconcile(args: readonly string[], io: Io): Promise<void> {
  const { values, positionals } = parseFlags(args, RECONCILE, true)
  const attempt = only(positionals, 'the ATTEMPT to settle')
  const { 'cost-usd': cost, evidence } = values
  if (cost === undefined || evidence === undefined) throw new UsageError('reconcile needs --cost-usd and --evidence.')
  const input = { attempt, cost_usd: cost, evidence }
  const settled = (await ask(values, io, 'ledger.reconcile', input)) as ShownAttempt
  io.stdout.write(`${settled.attempt}: ${String(cost)} USD booked, ${settled.held_usd} USD were held\n`)
}

/** The running service alone may change its books. */
async function ask(values: Values, io: Io, name: string, input: Readonly<Record<string, unknown>>): Promise<unknown> {
  const dataDir = dataDirOf(values, io)
  const answer = await callOverSocket(dataDir, name, input)
  if (!answer.isRunning)
    throw new UsageError(`No service runs on ${dataDir}. Start it, or name its directory with --data-dir.`)
  return answer.result
}

function dataDirOf(values: Values, io: Io): string {
  return loadStateLocation(configFlagsOf(values), io).dataDir
}

function only(positionals: readonly string[], what: string): string {
  const [first, ...rest] = positionals
  if (first === undefined || rest.length > 0) throw new UsageError(`Name ${what}, and nothing else.`)
  return first
}
