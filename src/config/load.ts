import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from './config.ts'
import { configFromFound, ENGINE_PORTS, fetchJson, findEngines, SIMULATED, type Fetcher } from './detect.ts'
import { ConfigError, Lines, problemsOf } from './problems.ts'
import { readConfigFile, type RawFile } from './read-file.ts'
import { resolveConfig } from './resolve.ts'
import { configSchema, type FileConfig } from './schema.ts'

/** What flags say; each wins over the environment (`SWITCHYARD_*`), which wins over the file. */
export interface ConfigFlags {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly dataDir?: string | undefined
  readonly log?: string | undefined
  readonly simulate?: boolean | undefined
  readonly noDetect?: boolean | undefined
}

export interface LoadContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly fetcher?: Fetcher
  readonly enginePorts?: readonly number[]
  /** The day whose prices count; today if left out. */
  readonly now?: Date
}

const DEFAULT_FILE = 'switchyard.yaml'

/** Finds, reads, checks and resolves the configuration. Throws ConfigError with all problems at once. */
export async function loadConfig(flags: ConfigFlags, context: LoadContext): Promise<Config> {
  const { env, cwd } = context
  const named = flags.config ?? env['SWITCHYARD_CONFIG']
  const path = named === undefined ? join(cwd, DEFAULT_FILE) : resolve(cwd, named)
  const raw: RawFile | undefined = named !== undefined || existsSync(path) ? readConfigFile(path) : undefined
  const isSimulated = flags.simulate === true || isOn(env['SWITCHYARD_SIMULATE'])
  const own = isRecord(raw?.value) ? raw.value : raw === undefined ? {} : undefined
  if (own === undefined)
    throw new ConfigError(
      [{ setting: '', line: 1, sentence: 'the file must hold settings, as in "server: { port: 4000 }".' }],
      path,
    )
  const hasUpstreams = own['upstreams'] !== undefined || own['models'] !== undefined
  const found = isSimulated ? SIMULATED : hasUpstreams ? undefined : await detect(flags, context)
  const merged = overridden({ ...own, ...found?.file }, flags, env)
  const lines = raw?.lines ?? new Lines()
  const parsed = configSchema.safeParse(merged, { reportInput: true })
  if (!parsed.success) throw new ConfigError(problemsOf(parsed.error, lines), raw?.path)
  const config = resolveConfig(parsed.data as unknown as FileConfig, {
    env,
    cwd,
    file: raw?.path,
    lines,
    now: context.now ?? new Date(),
  })
  return {
    ...config,
    origins: [...config.origins, ...(found?.origins ?? [])],
    remarks: [...config.remarks, ...(found?.remarks ?? [])],
  }
}

async function detect(flags: ConfigFlags, context: LoadContext): Promise<ReturnType<typeof configFromFound>> {
  const isOff = flags.noDetect === true || context.env['SWITCHYARD_DETECT'] === 'off'
  const engines = isOff ? [] : await findEngines(context.enginePorts ?? ENGINE_PORTS, context.fetcher ?? fetchJson)
  return configFromFound(context.env, engines)
}

/** Flags and environment over the file. */
function overridden(file: Readonly<Record<string, unknown>>, flags: ConfigFlags, env: LoadContext['env']): unknown {
  const host = flags.host ?? env['SWITCHYARD_HOST']
  const port = flags.port ?? env['SWITCHYARD_PORT']
  const dataDir = flags.dataDir ?? env['SWITCHYARD_DATA_DIR']
  const log = flags.log ?? env['SWITCHYARD_LOG']
  const server = isRecord(file['server']) ? file['server'] : {}
  const telemetry = isRecord(file['telemetry']) ? file['telemetry'] : {}
  const adminKey =
    env['SWITCHYARD_ADMIN_KEY'] === undefined || server['adminKey'] !== undefined
      ? {}
      : { adminKey: 'env:SWITCHYARD_ADMIN_KEY' }
  return {
    ...file,
    ...(file['server'] === undefined || isRecord(file['server'])
      ? {
          server: {
            ...adminKey,
            ...server,
            ...(host === undefined ? {} : { host }),
            ...(port === undefined ? {} : { port: toNumber(port) }),
          },
        }
      : {}),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(log === undefined ? {} : { telemetry: { ...telemetry, log } }),
  }
}

function toNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|true|on|yes)$/i.test(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
