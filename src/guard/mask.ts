import { findPersonalData } from './find-personal-data.ts'
import type { FindingKind } from './finding.ts'

/** A text for logs: each find as its kind in brackets (`[email]`), nothing that tells two values of a kind apart. */
export function mask(text: string, except: ReadonlySet<FindingKind> = NONE): string {
  let masked = ''
  let from = 0
  for (const { kind, start, end } of findPersonalData(text)) {
    if (except.has(kind)) continue
    masked += `${text.slice(from, start)}[${kind}]`
    from = end
  }
  return from === 0 ? text : masked + text.slice(from)
}

const NONE: ReadonlySet<FindingKind> = new Set()
