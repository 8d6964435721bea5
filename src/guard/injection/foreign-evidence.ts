import { note, type Evidence } from './evidence.ts'
import { FOREIGN_OVERRIDE, FOREIGN_REVEAL, FOREIGN_RULES } from './lexicon.ts'

const SCRIPTS = /[\u0400-\u9fff\uac00-\ud7af]/
/** Characters to either side of a verb within which its object stands. */
const REACH = 32
/** Places of one word that are looked at: a long text about instructions repeats them. */
const PLACES_MOST = 16

/** Scripts whose words have no spaces between them, or endings that no list has: pieces of words near each other. */
export function foreignEvidence(text: string, evidence: Evidence): void {
  if (!SCRIPTS.test(text)) return
  if (FOREIGN_OVERRIDE.some((piece) => isNearRules(text, piece))) note(evidence, 'overrides-rules', 0.8)
  if (FOREIGN_REVEAL.some((piece) => isNearRules(text, piece))) note(evidence, 'asks-for-instructions', 0.4)
}

function isNearRules(text: string, verb: string): boolean {
  let at = text.indexOf(verb)
  for (let places = 0; at !== -1 && places < PLACES_MOST; places++) {
    const around = text.slice(Math.max(0, at - REACH), at + verb.length + REACH)
    if (FOREIGN_RULES.some((rule) => around.includes(rule))) return true
    at = text.indexOf(verb, at + verb.length)
  }
  return false
}
