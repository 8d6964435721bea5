import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadStateLocation, type ConfigFlags } from '../config/load.ts'
import { callOverHttp, callOverSocket, OperationRefused, ServiceUnreachable } from '../control/call-operation.ts'
import type { HttpRoute } from '../control/operations.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { KeyStoreError } from '../store/key-store.ts'
import { EXIT, UsageError, type Io } from './command.ts'

export interface ClientFlags extends ConfigFlags {
  readonly url: string | undefined
  readonly adminKeyFile: string | undefined
}

/** Who did it: the running service, or this command, since none runs. */
export interface Answer {
  readonly result: unknown
  readonly by: 'service' | 'files'
  /** The service's address or the data directory. */
  readonly where: string
}

/** Where a service keeps its state. */
export type StateLocation = ReturnType<typeof loadStateLocation>

export interface OperationCall {
  readonly name: string
  readonly route: HttpRoute
  readonly input: Readonly<Record<string, unknown>>
  /** Longest wait for the service's answer, ms; 15 s if left out. */
  readonly timeoutMs?: number
  /** Does it in the data directory itself; called where no service runs. */
  readonly alone: (location: StateLocation) => Promise<unknown>
}

/**
 * Does something where the state is: over HTTP with `--url`, else in the service that runs on the data directory, else in the directory
 * itself. Throws UsageError, ConfigError, OperationRefused, ServiceUnreachable, or what `alone` throws.
 */
export async function callOperation(call: OperationCall, flags: ClientFlags, io: Io): Promise<Answer> {
  const { name, route, input, timeoutMs } = call
  if (flags.url !== undefined) {
    const url = checkedUrl(flags.url)
    return { result: await callOverHttp(url, adminKey(flags, io), route, input, timeoutMs), by: 'service', where: url }
  }
  const location = loadStateLocation(flags, io)
  const { dataDir } = location
  const answer = await callOverSocket(dataDir, name, input, timeoutMs)
  if (answer.isRunning) return { result: answer.result, by: 'service', where: dataDir }
  return { result: await call.alone(location), by: 'files', where: dataDir }
}

/** Options of every command that calls operations. */
export const CLIENT_OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  url: { type: 'string' },
  'admin-key-file': { type: 'string' },
  json: { type: 'boolean' },
} as const

/** The flags of a command that calls operations, out of its own. */
export function clientFlagsOf(values: Readonly<Record<string, unknown>>): ClientFlags {
  const text = (name: string): string | undefined => values[name] as string | undefined
  return { config: text('config'), dataDir: text('data-dir'), url: text('url'), adminKeyFile: text('admin-key-file') }
}

/**
 * Runs a command and gives its exit code: what the service, the store or a check refused is a usage error (2), a service that cannot
 * be reached is 69. Anything else is thrown on.
 */
export async function operatorExit(io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ServiceUnreachable) {
      io.stderr.write(`${error.message}\n`)
      return EXIT.unavailable
    }
    const isOurs = error instanceof SwitchyardError && error.code !== 'internal_error'
    if (isOurs || error instanceof OperationRefused || error instanceof KeyStoreError)
      throw new UsageError(error.message)
    throw error
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
function adminKey(flags: ClientFlags, io: Io): string {
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
