import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

/** Flags that every bench has; each adds its own. */
export interface BenchFlags {
  readonly quick: boolean
  readonly rounds: number
  readonly seconds: number
  /** Warm-up of each contender, seconds. */
  readonly warmSeconds: number
  readonly only: readonly string[]
  readonly scenarios: readonly string[]
  readonly more: Readonly<Record<string, string | boolean | undefined>>
}
export interface Defaults {
  readonly help: string
  readonly rounds: number
  readonly seconds: number
  readonly quick: { readonly rounds: number; readonly seconds: number }
  readonly more?: ParseArgsOptionsConfig
}

/** Reads the command line; prints the help and ends with 0, or names a wrong flag and ends with 2. */
export function readFlags(defaults: Defaults): BenchFlags {
  try {
    const { values } = parseArgs({
      options: {
        ...defaults.more,
        help: { type: 'boolean' },
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        scenarios: { type: 'string' },
      },
    })
    const given = values as Record<string, string | boolean | undefined>
    if (given['help'] === true) {
      console.log(defaults.help)
      return process.exit(0)
    }
    const quick = given['quick'] === true
    const fallback = quick ? defaults.quick : defaults
    return {
      quick,
      rounds: bounded('--rounds', given['rounds'], fallback.rounds, 1, 100),
      seconds: bounded('--seconds', given['seconds'], fallback.seconds, 0.2, 120),
      warmSeconds: quick ? 0.5 : 3,
      only: list(given['only']),
      scenarios: list(given['scenarios']),
      more: given,
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return process.exit(2)
  }
}

function bounded(
  name: string,
  given: string | boolean | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (given === undefined) return fallback
  const value = Number(given)
  if (value >= min && value <= max) return value
  throw new Error(`${name} must be a number from ${min} to ${max}`)
}

function list(given: string | boolean | undefined): string[] {
  return typeof given === 'string' ? given.split(',').map((part) => part.trim()) : []
}
