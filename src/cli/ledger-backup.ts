import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LEDGER_FILE } from '../budget/ledger/ledger-file.ts'
import { verifyLedger, type Verification } from '../budget/upkeep/verify-ledger.ts'
import { takeLogOver } from '../budget/ledger/whole-ledger.ts'
import { loadStateLocation } from '../config/load.ts'
import { formatUsd, toNanoUsd } from '../shared/money.ts'
import { backupSqlite, newSqlite } from '../store/sqlite-backup.ts'
import { StoreProblem } from '../store/store-problem.ts'
import { EXIT, UsageError, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import { redisCopy } from './redis-copy.ts'
import { checkReadable, walDamage } from './ledger-verify.ts'

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
  force: { type: 'boolean' },
} as const

/** Copies the ledger into one checked file, whether or not a service runs. Resolves with the exit code. */
export async function backup(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS, true)
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0)
    throw new UsageError('Name the one FILE for the backup, as in "switchyard ledger backup ledger-2027-01-31.sqlite".')
  const { dataDir, storeUrl } = loadStateLocation(
    { config: values['config'] as string, dataDir: values['data-dir'] as string },
    io,
  )
  const from = join(dataDir, LEDGER_FILE)
  const to = resolve(io.cwd, name)
  if (to === from) throw new UsageError('A backup of the ledger cannot be the ledger itself.')
  const url = storeUrl()
  let found: Verification | undefined
  const check = (copy: Parameters<typeof verifyLedger>[0]): void => {
    found = verifyLedger(copy)
    let [first] = found.problems
    if (first === undefined) {
      try {
        if (takeLogOver(copy)) found = verifyLedger(copy)
      } catch (error) {
        first = error instanceof Error ? error.message : String(error)
      }
    }
    if (first !== undefined)
      throw new StoreProblem(
        `No backup was made, as the ledger does not add up: ${first}. "switchyard ledger verify" shows all.`,
      )
  }
  const options = { isForced: values['force'] === true, check }
  if (url === undefined) {
    checkReadable(from)
    const damage = await walDamage(from)
    if (damage !== undefined) throw new StoreProblem(`No backup was made: ${damage}.`)
    await backupSqlite(from, to, options)
  } else await newSqlite(to, options, async (part) => (await redisCopy(url, part)).close())
  const { size } = statSync(to)
  const { attempts = 0, settled = 0 } = found ?? {}
  if (values['json'] === true) io.stdout.write(`${JSON.stringify({ file: to, bytes: size, ...found })}\n`)
  else
    io.stdout.write(
      `${to}: ${size} bytes, checked: ${attempts} attempts, ${formatUsd(toNanoUsd(settled))} USD settled\n`,
    )
  return EXIT.ok
}
