import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { MOST_SETTLEMENTS, type ShownAttempt, type ShownSettlement } from '../control/ledger-operations.ts'
import { formatUsd, toNanoUsd } from '../shared/money.ts'
import { parseUsd } from '../shared/parse-usd.ts'
import { columns } from './columns.ts'
import { EXIT, UsageError, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { callLedgerOperation } from './ledger-client.ts'
import { CLIENT_OPTIONS, clientFlagsOf, type ClientFlags } from './operation-client.ts'
import { readSettlements, type SettlementInput } from './settlement-file.ts'

const OPTIONS = {
  ...CLIENT_OPTIONS,
  settle: { type: 'string' },
  void: { type: 'string' },
  usd: { type: 'string' },
  evidence: { type: 'string' },
  from: { type: 'string' },
  yes: { type: 'boolean' },
} as const

type Values = Readonly<Record<string, unknown>>

/** Lists attempts of unknown cost, or settles them. Resolves with the exit code. */
export async function reconcile(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseFlags(args, OPTIONS)
  const flags = clientFlagsOf(values)
  const actions = ['settle', 'void', 'from'].filter((name) => values[name] !== undefined)
  if (actions.length > 1) throw new UsageError(`--${actions.join(' and --')} exclude each other.`)
  const [action] = actions
  if (action === undefined) return list(values, flags, io)
  if (action !== 'from') return settle([oneOf(values, action)], false, values, flags, io)
  const name = String(values['from'])
  if (values['usd'] !== undefined || values['evidence'] !== undefined)
    throw new UsageError('With --from each line has its own usd and evidence.')
  return settle(readSettlements(readText(name, io), name), values['yes'] !== true, values, flags, io)
}

function oneOf(values: Values, action: string): SettlementInput {
  const id = String(values[action])
  const evidence = values['evidence']
  if (typeof evidence !== 'string' || evidence === '')
    throw new UsageError(
      '--evidence is missing: say where the cost is known from, as in --evidence "invoice 2027-01, line 12".',
    )
  if (action === 'void') {
    if (values['usd'] !== undefined) throw new UsageError('--void settles at 0; with an amount it is --settle.')
    return { id, nano_usd: 0, evidence }
  }
  const amount = parseUsd(String(values['usd'] ?? ''))
  if (amount === undefined) throw new UsageError('--usd must be dollars of at least 0, as in --usd 0.0123.')
  return { id, nano_usd: amount, evidence }
}

async function list(values: Values, flags: ClientFlags, io: Io): Promise<number> {
  const { result } = await callLedgerOperation('ledger.attempts', {}, flags, io)
  const { attempts } = result as { readonly attempts: readonly ShownAttempt[] }
  if (values['json'] === true) {
    io.stdout.write(`${JSON.stringify(attempts)}\n`)
    return EXIT.ok
  }
  const unresolved = attempts.filter(({ state }) => state === 'unresolved')
  const held = toNanoUsd(unresolved.reduce((sum, attempt) => sum + attempt.hold_nano_usd, 0))
  io.stdout.write(`${unresolved.length} unresolved, ${formatUsd(held)} USD held for them\n`)
  const rows = unresolved.map((each) => [each.id, each.task ?? '-', each.key, each.model, each.since, each.hold_usd])
  if (rows.length > 0) print([['id', 'task', 'key', 'model', 'since', 'hold usd'], ...rows], io)
  const settled = attempts.filter(({ state }) => state === 'settled')
  if (settled.length > 0) {
    const lines = settled.map((each) => [
      each.id,
      each.cost_usd ?? '',
      each.settled_by ?? '',
      each.settled_at ?? '',
      each.evidence ?? '',
    ])
    io.stdout.write('\nsettled with evidence\n')
    print([['id', 'usd', 'by', 'at', 'evidence'], ...lines], io)
  }
  return EXIT.ok
}

function print(rows: readonly (readonly string[])[], io: Io): void {
  for (const line of columns(rows)) io.stdout.write(`${line}\n`)
}

async function settle(
  settlements: readonly SettlementInput[],
  isTrial: boolean,
  values: Values,
  flags: ClientFlags,
  io: Io,
): Promise<number> {
  const results: ShownSettlement[] = []
  for (let at = 0; at < settlements.length; at += MOST_SETTLEMENTS) {
    const part = settlements.slice(at, at + MOST_SETTLEMENTS)
    const { result } = await callLedgerOperation(
      'ledger.settle',
      { settlements: part, by: operator(), dry_run: isTrial },
      flags,
      io,
    )
    results.push(...(result as { readonly settlements: readonly ShownSettlement[] }).settlements)
  }
  if (values['json'] === true) io.stdout.write(`${JSON.stringify(results)}\n`)
  else for (const each of results) io.stdout.write(`${sentence(each)}\n`)
  if (isTrial) io.stderr.write('Nothing was changed. Say it again with --yes to settle them.\n')
  return results.some(({ outcome }) => outcome === 'refused') ? EXIT.usage : EXIT.ok
}

function sentence({ id, outcome, reason, hold_nano_usd, cost_nano_usd, exceeds_hold }: ShownSettlement): string {
  if (outcome === 'refused') return `${id} refused: ${reason}`
  const cost = formatUsd(toNanoUsd(cost_nano_usd ?? 0))
  const more = exceeds_hold ? ', which is more than was held for it' : ''
  const of = `at ${cost} USD of ${formatUsd(toNanoUsd(hold_nano_usd ?? 0))} held${more}`
  if (outcome === 'same') return `${id} was settled ${of} before`
  return outcome === 'would_settle' ? `${id} would be settled ${of}` : `${id} settled ${of}`
}

/** Who settles, for the record. */
function operator(): string {
  try {
    return userInfo().username
  } catch {
    // A user without a name, as in many containers.
    return 'operator'
  }
}

function readText(name: string, io: Io): string {
  const file = resolve(io.cwd, name)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    throw new UsageError(`--from: ${file} cannot be read (${code}).`)
  }
}
