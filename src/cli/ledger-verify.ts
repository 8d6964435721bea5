import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LEDGER_FILE } from '../budget/ledger/ledger-file.ts'
import { verifyLedger, type Verification } from '../budget/upkeep/verify-ledger.ts'
import { readWholeLedger } from '../budget/ledger/whole-ledger.ts'
import { loadStateLocation } from '../config/load.ts'
import { redisAddress } from '../shared/redis-url.ts'
import { formatUsd, toNanoUsd } from '../shared/money.ts'
import { findWalDamage } from '../store/wal-damage.ts'
import { EXIT, UsageError, type Io } from './command.ts'
import { parseFlags } from './config-flags.ts'
import type { StateLocation } from './operation-client.ts'
import { TEMPORARY, withRedisCopy } from './redis-copy.ts'

const OPTIONS = { config: { type: 'string' }, 'data-dir': { type: 'string' }, json: { type: 'boolean' } } as const

const AGAIN_MS = 100

/** Checks a ledger, that of a running service too, or a backup. Resolves with the exit code. */
export async function verify(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS, true)
  if (positionals.length > 1)
    throw new UsageError('Name one file to check, or none for the ledger in the data directory.')
  const [name] = positionals
  const location = (): StateLocation =>
    loadStateLocation({ config: values['config'] as string, dataDir: values['data-dir'] as string }, io)
  const { path, found } =
    name === undefined
      ? await lookThere(location())
      : { path: resolve(io.cwd, name), found: await look(resolve(io.cwd, name)) }
  if (values['json'] === true) io.stdout.write(`${JSON.stringify({ file: path, ...found })}\n`)
  else {
    for (const problem of found.problems) io.stderr.write(`${problem}\n`)
    const verdict = found.problems.length === 0 ? 'everything adds up' : 'it does not add up'
    io.stdout.write(
      `${path}: ${found.attempts} attempts (${found.unresolved} unresolved), ${found.days} days, ${found.books} books, ${formatUsd(toNanoUsd(found.settled))} USD settled: ${verdict}\n`,
    )
  }
  return found.problems.length === 0 ? EXIT.ok : EXIT.internal
}

/** Throws UsageError where there is no such file. */
export function checkReadable(path: string): void {
  if (!existsSync(path))
    throw new UsageError(`There is no ledger at ${path}. Name its directory with --data-dir, or a file.`)
}

async function lookThere({
  dataDir,
  storeUrl,
}: StateLocation): Promise<{ readonly path: string; readonly found: Verification }> {
  const url = storeUrl()
  const path = join(dataDir, LEDGER_FILE)
  if (url === undefined) return { path, found: await look(path) }
  return { path: `Redis at ${redisAddress(url.reveal())}`, found: await withRedisCopy(url, TEMPORARY, verifyLedger) }
}

/** Damage of the log that SQLite would not mention; undefined = none. What a running service writes meanwhile may look like it, but once only. */
export async function walDamage(path: string): Promise<string | undefined> {
  if (findWalDamage(`${path}-wal`) === undefined) return undefined
  await delay(AGAIN_MS)
  return findWalDamage(`${path}-wal`)
}

async function look(path: string): Promise<Verification> {
  checkReadable(path)
  const nothing = { attempts: 0, unresolved: 0, days: 0, books: 0, settled: 0 }
  const damage = await walDamage(path)
  if (damage !== undefined) return { ...nothing, problems: [damage] }
  try {
    return await readWholeLedger(path, verifyLedger)
  } catch (error) {
    // What SQLite cannot even read.
    return { ...nothing, problems: [error instanceof Error ? error.message : String(error)] }
  }
}
