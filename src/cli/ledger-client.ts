import { publicPart } from '../config/resolve-keys.ts'
import {
  LEDGER_ROUTES,
  ledgerOperations,
  type LedgerOperationName,
  type LedgerService,
} from '../control/ledger-operations.ts'
import { Operations } from '../control/operations.ts'
import { withLedgerAlone } from '../ledger-alone.ts'
import type { Io } from './command.ts'
import { callOperation, type Answer, type ClientFlags } from './operation-client.ts'

/** Forgetting goes in small steps beside requests, about 5000 attempts a second. */
const FORGET_TIMEOUT_MS = 3_600_000

/**
 * Does something with the ledger where it is: over HTTP with `--url`, else in the service that runs on the data directory, else in the
 * directory's file itself, under the service's lock. Throws as `callOperation` does, and StoreProblem.
 */
export function callLedgerOperation(
  name: LedgerOperationName,
  input: Readonly<Record<string, unknown>>,
  flags: ClientFlags,
  io: Io,
): Promise<Answer> {
  return callOperation(
    {
      name,
      route: LEDGER_ROUTES[name],
      input,
      ...(name === 'ledger.forget' ? { timeoutMs: FORGET_TIMEOUT_MS } : {}),
      async alone({ dataDir, keys, events, storeUrl }) {
        const options = { dataDir, events, staticKeys: keys.map(publicPart) }
        const work = (upkeep: LedgerService): Promise<unknown> =>
          new Operations(ledgerOperations(upkeep)).call(name, input)
        const url = storeUrl()
        if (url === undefined) return withLedgerAlone(options, work)
        // Commands without Redis need not load its client.
        const { withSharedBooksAlone } = await import('../shared-alone.ts')
        return withSharedBooksAlone(url.reveal(), options, work)
      },
    },
    flags,
    io,
  )
}
