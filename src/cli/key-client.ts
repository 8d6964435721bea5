import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadStateLocation, type ConfigFlags } from '../config/load.ts'
import { publicPart } from '../config/resolve-keys.ts'
import { callOverHttp, callOverSocket } from '../control/call-operation.ts'
import { KEY_ROUTES, keyOperations, type KeyOperationName } from '../control/key-operations.ts'
import { Operations } from '../control/operations.ts'
import { prepareDataDir } from '../data-dir.ts'
import { KeyStore } from '../store/key-store.ts'
import { UsageError, type Io } from './command.ts'

export interface KeyClientFlags extends ConfigFlags {
  readonly url: string | undefined
  readonly adminKeyFile: string | undefined
}

/** Who did it: the running service, or this command, since none runs. */
export interface KeyAnswer {
  readonly result: unknown
  readonly by: 'service' | 'files'
  /** The service's address or the data directory. */
  readonly where: string
}

/**
 * Does something with keys where they are: over HTTP with `--url`, else in the service that runs on the data directory, else in the
 * directory's file itself. Throws UsageError, ConfigError, SwitchyardError, OperationRefused, ServiceUnreachable or KeyStoreError.
 */
export async function callKeyOperation(
  name: KeyOperationName,
  input: Readonly<Record<string, unknown>>,
  flags: KeyClientFlags,
  io: Io,
): Promise<KeyAnswer> {
  if (flags.url !== undefined) {
    const url = checkedUrl(flags.url)
    return { result: await callOverHttp(url, adminKey(flags, io), KEY_ROUTES[name], input), by: 'service', where: url }
  }
  const { dataDir, keys } = loadStateLocation(flags, io)
  const answer = await callOverSocket(dataDir, name, input)
  if (answer.isRunning) return { result: answer.result, by: 'service', where: dataDir }
  prepareDataDir(dataDir)
  const store = new KeyStore(dataDir)
  try {
    const staticKeys = keys.map(publicPart)
    const alone = keyOperations({
      store,
      staticKeys: () => staticKeys,
      modelProblem: () => undefined,
      wallNow: Date.now,
      changed: () => {},
    })
    return { result: await new Operations(alone).call(name, input), by: 'files', where: dataDir }
  } finally {
    store.close()
  }
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError('--url must be an http:// or https:// address, as in http://127.0.0.1:4000.')
  if (url.username + url.password !== '')
    throw new UsageError(
      '--url holds a name or password. Give the admin key in SWITCHYARD_ADMIN_KEY or --admin-key-file.',
    )
  return text
}

/** The admin key, from where no list of processes shows it. */
function adminKey(flags: KeyClientFlags, io: Io): string {
  if (flags.adminKeyFile !== undefined) {
    const file = resolve(io.cwd, flags.adminKeyFile)
    try {
      return readFileSync(file, 'utf8').trim()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
      throw new UsageError(`--admin-key-file: ${file} cannot be read (${code}).`)
    }
  }
  const fromEnv = io.env['SWITCHYARD_ADMIN_KEY']?.trim()
  if (fromEnv === undefined || fromEnv === '')
    throw new UsageError('--url needs the admin key: set SWITCHYARD_ADMIN_KEY, or name its file with --admin-key-file.')
  return fromEnv
}
