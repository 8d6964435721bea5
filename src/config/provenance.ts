/** Where each setting comes from, with its value as it may be shown. */
import type { Lines } from './problems.ts'

export interface Setting {
  /** Dotted path. */
  readonly setting: string
  /** The value as JSON; secrets stand as the reference that names them, or masked. */
  readonly value: string
  /** A flag, a variable, `line N`, `found`, or `default`. */
  readonly from: string
}

/** Values that may be secrets although the file holds them in clear text. */
const CLEAR_TEXT_SECRET = /^(?:keys\.\d+\.key|upstreams\.[^]*\.headers\.[^]*)$/

/**
 * Every setting of a checked file, leaf by leaf.
 * @param found Top-level settings that were made from what was found on this machine.
 */
export function provenanceOf(checked: unknown, lines: Lines, found: ReadonlySet<string>): readonly Setting[] {
  const settings: Setting[] = []
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    if (value === undefined) return
    if (typeof value === 'object' && value !== null) {
      const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
        ? value.map((each: unknown, index) => [index, each] as const)
        : Object.entries(value)
      const isList = Array.isArray(value) && value.every((each) => typeof each !== 'object')
      if (!isList && (entries.length > 0 || path.length === 0)) {
        for (const [name, each] of entries) visit(each, [...path, name])
        return
      }
    }
    settings.push({ setting: path.join('.'), value: shown(value, path.join('.')), from: from(path) })
  }
  const from = (path: readonly (string | number)[]): string => {
    const override = lines.overrideOf(path)
    if (override !== undefined) return override
    if (found.has(String(path[0]))) return 'found'
    const line = lines.exact(path)
    return line === undefined ? 'default' : `line ${line}`
  }
  visit(checked, [])
  return settings
}

function shown(value: unknown, setting: string): string {
  const isReference = typeof value === 'string' && /^(?:env|file):/.test(value)
  return CLEAR_TEXT_SECRET.test(setting) && !isReference ? '***' : JSON.stringify(value)
}
