import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from './config.ts'
import { configFromFound, ENGINE_PORTS, fetchJson, findEngines, SIMULATED, type Fetcher, type Found } from './detect.ts'
import { freeze } from './freeze.ts'
import { isRecord, misspeltVariables, override, variableIn, type ConfigFlags, type Environment } from './overrides.ts'
import { ConfigError, Lines, problemsOf } from './problems.ts'
import { provenanceOf } from './provenance.ts'
import { readConfigFile, type RawFile } from './read-file.ts'
import { resolveConfig } from './resolve.ts'
import { SecretReader } from './secrets.ts'
import type { Secret } from '../shared/secret.ts'
import { configSchema, type FileConfig, type KeyFile } from './schema.ts'
import { withoutEffectRemark } from './without-effect.ts'

export type { ConfigFlags } from './overrides.ts'

export interface LoadContext {
  readonly env: Environment
  readonly cwd: string
  readonly fetcher?: Fetcher
  readonly enginePorts?: readonly number[]
  /** Unix milliseconds, for prices; the system's clock if left out. */
  readonly now?: () => number
  /** Whether a data directory holds keys that were made by command; none does if left out. */
  readonly hasMadeKeys?: (dataDir: string) => boolean
}

const DEFAULT_FILE = 'switchyard.yaml'

/** Finds, reads, checks and resolves the configuration. Throws ConfigError with all problems at once. */
export async function loadConfig(flags: ConfigFlags, context: LoadContext): Promise<Config> {
  const { env, cwd, now = Date.now, hasMadeKeys = (): boolean => false } = context
  const raw = findFile(flags, context)
  const own = settingsIn(raw)
  const isSimulated = flags.simulate === true || isOn(variableIn(env, 'SWITCHYARD_SIMULATE'))
  const hasUpstreams = own['upstreams'] !== undefined || own['models'] !== undefined
  const found = isSimulated ? SIMULATED : hasUpstreams ? undefined : await detect(flags, context)
  const { file, lines } = checkFile(raw, isSimulated ? simulated(own) : { ...own, ...found?.file }, flags, env)
  const config = resolveConfig(file, { env, cwd, file: raw?.path, lines, now, hasMadeKeys })
  const provenance = provenanceOf(file, lines, new Set(Object.keys(found?.file ?? {})))
  return freeze({
    ...config,
    origins: [...config.origins, ...(found?.origins ?? [])],
    remarks: [
      ...config.remarks,
      ...(found?.remarks ?? []),
      ...withoutEffectRemark(provenance),
      ...misspeltVariables(env),
    ],
    provenance,
  })
}

/**
 * What a command needs to know of the configuration to find the service's state: the data directory, the event log, and the keys of the file, whose
 * secrets it does not read and need not have. Throws ConfigError.
 */
export function loadStateLocation(
  flags: ConfigFlags,
  context: Pick<LoadContext, 'env' | 'cwd'>,
): {
  readonly dataDir: string
  readonly keys: readonly KeyFile[]
  readonly events: string | undefined
  /** Names of the models on either side of each route; a name may be one that is only found at start. */
  readonly routes: Readonly<Record<string, { readonly small: readonly string[]; readonly big: readonly string[] }>>
  readonly taskIdleMinutes: number
  /** Address of the Redis that has the books; undefined = they are in the data directory. Throws ConfigError where it cannot be read. */
  readonly storeUrl: () => Secret | undefined
} {
  const raw = findFile(flags, context)
  const { file, lines } = checkFile(raw, settingsIn(raw), flags, context.env)
  const { events } = file.telemetry
  return {
    dataDir: resolve(context.cwd, file.dataDir),
    keys: file.keys,
    events: events === null ? undefined : resolve(context.cwd, events),
    routes: Object.fromEntries(Object.entries(file.routes).map(([name, { small, big }]) => [name, { small, big }])),
    taskIdleMinutes: file.budget.taskIdleMinutes,
    storeUrl() {
      if (file.store.kind !== 'redis') return undefined
      const setting = 'store.url'
      const fail = (sentence: string): never => {
        throw new ConfigError([{ setting, line: lines.at(['store', 'url']), sentence }], raw?.path)
      }
      const pathOf = (path: string): string => resolve(raw === undefined ? context.cwd : dirname(raw.path), path)
      const reader = new SecretReader({ env: context.env, pathOf, report: (_, sentence) => fail(sentence) })
      return reader.read(file.store.url, ['store', 'url']) ?? fail('redis needs its address. Add url: env:REDIS_URL.')
    },
  }
}

function findFile(flags: ConfigFlags, { env, cwd }: Pick<LoadContext, 'env' | 'cwd'>): RawFile | undefined {
  const named = flags.config ?? variableIn(env, 'SWITCHYARD_CONFIG')
  const path = named === undefined ? join(cwd, DEFAULT_FILE) : resolve(cwd, named)
  return named !== undefined || existsSync(path) ? readConfigFile(path) : undefined
}

/** The settings with flags and variables over them, checked by the schema. Throws ConfigError. */
function checkFile(
  raw: RawFile | undefined,
  settings: Readonly<Record<string, unknown>>,
  flags: ConfigFlags,
  env: Environment,
): { readonly file: FileConfig; readonly lines: Lines } {
  const { value, by } = override(settings, flags, env)
  const lines = (raw?.lines ?? new Lines()).with(by)
  const parsed = configSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) throw new ConfigError(problemsOf(parsed.error, lines), raw?.path)
  return { file: parsed.data as unknown as FileConfig, lines }
}

function settingsIn(raw: RawFile | undefined): Readonly<Record<string, unknown>> {
  if (raw === undefined) return {}
  if (isRecord(raw.value)) return raw.value
  const sentence = 'the file must hold settings, as in "server: { port: 4000 }".'
  throw new ConfigError([{ setting: '', line: 1, sentence }], raw.path)
}

async function detect(flags: ConfigFlags, context: LoadContext): Promise<Found> {
  const isOff = flags.noDetect === true || variableIn(context.env, 'SWITCHYARD_DETECT') === 'off'
  const engines = isOff ? [] : await findEngines(context.enginePorts ?? ENGINE_PORTS, context.fetcher ?? fetchJson)
  return configFromFound(context.env, engines)
}

/** The file with simulated models in place of its own; the names it has for them stay usable and mean `auto`. */
function simulated(own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const aliases: Record<string, unknown> = {}
  for (const name of Object.keys(isRecord(own['models']) ? own['models'] : {})) aliases[name] = 'auto'
  for (const [alias, meant] of Object.entries(isRecord(own['aliases']) ? own['aliases'] : {}))
    aliases[alias] = typeof meant === 'string' && /^auto(?::|$)/.test(meant) ? meant : 'auto'
  for (const name of Object.keys(isRecord(own['routes']) ? own['routes'] : {}))
    if (name !== 'auto') aliases[name] = 'auto'
  return { ...own, ...SIMULATED.file, ...(Object.keys(aliases).length === 0 ? {} : { aliases }) }
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|true|on|yes)$/i.test(value)
}
