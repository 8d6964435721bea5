import type { FindingKind } from '../finding.ts'

/** A run of ASCII letters, digits and underscores, with what is in it: looked at once, asked by many rules. */
export interface Run {
  start: number
  end: number
  digits: number
  capitals: number
  smalls: number
}

export interface Hit {
  readonly kind: FindingKind
  readonly start: number
  readonly end: number
}

/**
 * Looks at one place of a folded text. Reads a bounded stretch around it, or as far as its hit reaches: the scanner goes on behind a
 * hit, so that the whole takes time in proportion to the text.
 */
export type Rule = (text: string, run: Run) => Hit | undefined

/**
 * A rule from a sticky pattern whose first group, where it has one, is the value and ends where the match ends (what stands before it
 * is context). `check` takes that value.
 */
export function rule(kind: FindingKind, pattern: RegExp, check?: (value: string) => boolean): Rule {
  const sticky = new RegExp(pattern.source, `${pattern.flags}y`)
  return (text, { start }) => {
    sticky.lastIndex = start
    const match = sticky.exec(text)
    if (match === null) return undefined
    const value = match[1] ?? match[0]
    const end = sticky.lastIndex
    return check === undefined || check(value) ? { kind, start: end - value.length, end } : undefined
  }
}

export function bare(value: string): string {
  return value.replace(/[^0-9A-Za-z]/g, '')
}

/** The first rule that hits. */
export function firstOf(rules: readonly Rule[]): Rule {
  return (text, run) => {
    for (const each of rules) {
      const hit = each(text, run)
      if (hit !== undefined) return hit
    }
    return undefined
  }
}

/** Whether a day of a month can be; February has 29. */
export function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= (month === 2 ? 29 : [4, 6, 9, 11].includes(month) ? 30 : 31)
}
