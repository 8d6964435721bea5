/** Names as they are shown and compared in an error message. */
import { distance } from 'fastest-levenshtein'

const SHOWN_CHARS_MOST = 64

/** Control, format (direction overrides among them), surrogate, private and line-separator characters. */
const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}`]/u

/** A caller's name, fit to be echoed: at most 64 characters, none of which a log, terminal or browser could act on. */
export function shownName(name: string): string {
  const showable = Array.from(name.slice(0, SHOWN_CHARS_MOST * 2)).filter((character) => !UNSHOWABLE.test(character))
  const shown = showable.slice(0, SHOWN_CHARS_MOST).join('')
  return name.length > SHOWN_CHARS_MOST * 2 || showable.length > SHOWN_CHARS_MOST ? `${shown}…` : shown
}

/** The `count` names nearest to `name` by edit distance, upper and lower case alike; ties keep their order. */
export function nearestNames(name: string, names: readonly string[], count: number): readonly string[] {
  const wanted = name.slice(0, SHOWN_CHARS_MOST).toLowerCase()
  return names
    .map((candidate) => ({ candidate, away: distance(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}
