import { publicPart } from '../config/resolve-keys.ts'
import { KEY_ROUTES, keyOperations, type KeyOperationName } from '../control/key-operations.ts'
import { Operations } from '../control/operations.ts'
import { prepareDataDir } from '../data-dir.ts'
import { KeyStore } from '../store/key-store.ts'
import type { Io } from './command.ts'
import { callOperation, type Answer, type ClientFlags, type StateLocation } from './operation-client.ts'

/**
 * Does something with keys where they are: over HTTP with `--url`, else in the service that runs on the data directory, else in the
 * directory's file itself. Throws UsageError, ConfigError, SwitchyardError, OperationRefused, ServiceUnreachable or KeyStoreError.
 */
export function callKeyOperation(
  name: KeyOperationName,
  input: Readonly<Record<string, unknown>>,
  flags: ClientFlags,
  io: Io,
): Promise<Answer> {
  const alone = async ({ dataDir, keys }: StateLocation): Promise<unknown> => {
    prepareDataDir(dataDir)
    const store = new KeyStore(dataDir)
    try {
      const staticKeys = keys.map(publicPart)
      const operations = keyOperations({
        store,
        staticKeys: () => staticKeys,
        modelProblem: () => undefined,
        wallNow: Date.now,
        changed: () => {},
      })
      return await new Operations(operations).call(name, input)
    } finally {
      store.close()
    }
  }
  return callOperation({ name, route: KEY_ROUTES[name], input, alone }, flags, io)
}
