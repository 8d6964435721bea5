import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { hasMadeKeys } from '../store/key-store.ts'
import { EXIT, UsageError, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, parseConfigFlags } from './config-flags.ts'

export const store: Command = {
  name: 'store',
  summary: 'begin the shared books in Redis, or accept a promoted replica',
  usage: `switchyard store begin|accept [flags]

For "store: { kind: redis }". Gateways refuse to work on a Redis that holds no books, since books that were lost must not be taken for
empty ones.

  begin   begins new, empty books: once per deployment. Refuses where there are books.
  accept  accepts a server that was promoted from a replica, after you have looked at what it may lack.

${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const [verb, ...flags] = args
    if (verb !== 'begin' && verb !== 'accept')
      throw new UsageError('Write "switchyard store begin" or "switchyard store accept".')
    const config: Config = await loadConfig(parseConfigFlags(flags), { env: io.env, cwd: io.cwd, hasMadeKeys })
    if (config.store.kind !== 'redis')
      throw new UsageError('store.kind is sqlite: the books are in dataDir, and there is nothing to do.')
    const { acceptPromoted, beginBooks } = await import('../store/redis-admin.ts')
    const url = config.store.url.reveal()
    io.stdout.write(`${await (verb === 'begin' ? beginBooks(url) : acceptPromoted(url))}\n`)
    return EXIT.ok
  },
}
