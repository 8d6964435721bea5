/** Flags and `SWITCHYARD_*` variables over the file. */
import { nearest } from './problems.ts'

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

export type Environment = Readonly<Record<string, string | undefined>>

type FlagWithText = 'host' | 'port' | 'dataDir' | 'log'

/** Setting -> flag (as the user types it), variable. */
const OVERRIDES: readonly {
  readonly path: readonly [string, string?]
  readonly flag?: readonly [FlagWithText, string]
  readonly variable: string
}[] = [
  { path: ['server', 'host'], flag: ['host', '--host'], variable: 'SWITCHYARD_HOST' },
  { path: ['server', 'port'], flag: ['port', '--port'], variable: 'SWITCHYARD_PORT' },
  { path: ['server', 'adminKey'], variable: 'SWITCHYARD_ADMIN_KEY' },
  { path: ['dataDir'], flag: ['dataDir', '--data-dir'], variable: 'SWITCHYARD_DATA_DIR' },
  { path: ['telemetry', 'log'], flag: ['log', '--log'], variable: 'SWITCHYARD_LOG' },
]
/** Variables that set no setting but say how the configuration is found. */
const OTHER_VARIABLES = ['SWITCHYARD_CONFIG', 'SWITCHYARD_SIMULATE', 'SWITCHYARD_DETECT']

export interface Overridden {
  readonly value: unknown
  /** Dotted setting -> the flag or variable that set it. */
  readonly by: ReadonlyMap<string, string>
}

/** The file's settings with flags and variables over them. */
export function override(file: Readonly<Record<string, unknown>>, flags: ConfigFlags, env: Environment): Overridden {
  const value: Record<string, unknown> = { ...file }
  const by = new Map<string, string>()
  for (const { path, flag, variable } of OVERRIDES) {
    const flagText = flag === undefined ? undefined : flags[flag[0]]
    const text = flagText ?? variableIn(env, variable)
    if (text === undefined) continue
    const [section, name] = path
    if (name === undefined) value[section] = text
    else {
      const inside = value[section]
      // A section that is no mapping is a problem of its own, and told as such.
      if (inside !== undefined && !isRecord(inside)) continue
      value[section] = {
        ...inside,
        [name]: name === 'adminKey' ? `env:${variable}` : name === 'port' ? toNumber(text) : text,
      }
    }
    by.set(path.join('.'), flagText === undefined ? variable : (flag?.[1] ?? variable))
  }
  return { value, by }
}

/** A variable that says something; an empty one counts as not set. */
export function variableIn(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name]
}

/** Remarks about variables that look like ours, are none, and are close to one: a misspelling would else go unnoticed. */
export function misspeltVariables(env: Environment): readonly string[] {
  const known = [...OVERRIDES.map(({ variable }) => variable), ...OTHER_VARIABLES]
  return Object.keys(env)
    .filter((name) => name.startsWith('SWITCHYARD_') && !known.includes(name))
    .flatMap((name) => {
      const near = nearest(
        name.slice('SWITCHYARD_'.length),
        known.map((each) => each.slice('SWITCHYARD_'.length)),
      )
      return near === undefined ? [] : [`the variable ${name} means nothing here; is it SWITCHYARD_${near}?`]
    })
}

function toNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
