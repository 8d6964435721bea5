import { resolve } from 'node:path'
import { verifyLedger } from '../budget/upkeep/verify-ledger.ts'
import { readWholeLedger } from '../budget/ledger/whole-ledger.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { hasMadeKeys } from '../store/key-store.ts'
import { EXIT, UsageError, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, CONFIG_OPTIONS, configFlagsOf, parseFlags } from './config-flags.ts'
import { checkReadable } from './ledger-verify.ts'

export const store: Command = {
  name: 'store',
  summary: 'begin the shared books in Redis, or accept a promoted replica',
  usage: `switchyard store begin [--from FILE] [flags]
switchyard store accept [flags]

For "store: { kind: redis }". Gateways refuse to work on a Redis that holds no books, since books that were lost must not be taken for
empty ones.

  begin   begins new, empty books: once per deployment. Refuses where there are books.
          With --from they begin with what a backup (switchyard ledger backup), or the ledger of one gateway, holds.
  accept  accepts a server that was promoted from a replica, after you have looked at what it may lack.

${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const [verb, ...flags] = args
    if (verb !== 'begin' && verb !== 'accept')
      throw new UsageError('Write "switchyard store begin" or "switchyard store accept".')
    const { values } = parseFlags(flags, { ...CONFIG_OPTIONS, from: { type: 'string' } })
    const from = values['from'] as string | undefined
    if (from !== undefined && verb !== 'begin') throw new UsageError('--from goes with "switchyard store begin".')
    const config: Config = await loadConfig(configFlagsOf(values), { env: io.env, cwd: io.cwd, hasMadeKeys })
    if (config.store.kind !== 'redis')
      throw new UsageError('store.kind is sqlite: the books are in dataDir, and there is nothing to do.')
    const { acceptPromoted, beginBooks } = await import('../store/redis-admin.ts')
    const url = config.store.url.reveal()
    const begin = (): Promise<string> => (from === undefined ? beginBooks(url) : beginFrom(url, resolve(io.cwd, from)))
    io.stdout.write(`${await (verb === 'begin' ? begin() : acceptPromoted(url))}\n`)
    return EXIT.ok
  },
}

async function beginFrom(url: string, path: string): Promise<string> {
  const [{ beginBooksFrom }, { loadRedisLedger }] = await Promise.all([
    import('../store/redis-admin.ts'),
    import('../budget/redis/load-redis-ledger.ts'),
  ])
  checkReadable(path)
  return readWholeLedger(path, (db) => {
    const [first] = verifyLedger(db).problems
    if (first !== undefined) throw new UsageError(`--from: ${path} does not add up: ${first}.`)
    return beginBooksFrom(url, (client) => loadRedisLedger(db, client))
  })
}
