import { note, type Evidence } from './evidence.ts'
import {
  ABOUT,
  ACT,
  ALL,
  APPROVAL,
  ASK,
  EARLIER,
  FREE,
  HIDDEN,
  LEXICON,
  LIMIT,
  MODEL,
  MUST,
  OVERRIDE,
  OWN,
  PRETEND,
  QUIET,
  REVEAL,
  ROUTE,
  RULES,
  SECRET,
  VOIDED,
} from './lexicon.ts'

const WORD = /[a-z0-9_~\u00c0-\u024f][a-z0-9_~'\u00c0-\u024f-]*|[.!?;:,\n]/g

/** Number of classes in the lexicon. */
const CLASSES = 19
/** Farther apart than this, two words have nothing to do with each other. */
const FAR = 100
/** What a sentence weighs that asks about such words (`explain what … is`). */
const ABOUT_FACTOR = 0.35

/** Evidence from words that stand near each other in one sentence. */
export function clauseEvidence(text: string, evidence: Evidence): void {
  const seen = new Int32Array(CLASSES).fill(-FAR)
  let index = 0
  let inSentence = 0
  let factor = 1
  let before = ''
  WORD.lastIndex = 0
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const word = match[0]
    if (word.length === 1 && END.test(word)) {
      if (word === ':' && seenWithin(seen, MODEL, index, 1)) note(evidence, 'addresses-the-model', 0.5 * factor)
      // A stop inside `a.b` ends nothing; a comma or colon leaves what stands before it in reach.
      if (word === '\n' || WHITE.test(text[WORD.lastIndex] ?? ' ')) inSentence = 0
      if (word !== ':' && word !== ',' && inSentence === 0) {
        seen.fill(-FAR)
        factor = 1
      }
      continue
    }
    index++
    inSentence++
    if (inSentence <= 3 && ABOUT.has(word)) factor = ABOUT_FACTOR
    let classes = LEXICON.get(word) ?? 0
    // Attacks command; a story tells of somebody who ignored or showed something.
    if ((classes & COMMANDS) !== 0 && inSentence > 2 && !LEADS.has(before)) classes &= ~COMMANDS
    if (classes !== 0) {
      weigh(classes, word, before, seen, index, factor, evidence)
      for (let bit = 0; bit < CLASSES; bit++) if ((classes & (1 << bit)) !== 0) seen[bit] = index
    }
    before = word
  }
}

const COMMANDS = OVERRIDE | REVEAL
/** Words that a command follows. */
const LEADS: ReadonlySet<string> = new Set(
  'and then please to now also just instead must should can could you secretly first und y et e o simply always me'.split(
    ' ',
  ),
)

const END = /[.!?;:,\n]/
const WHITE = /\s/

/** Whether a word of a class stood at most `gap` words back. */
function seenWithin(seen: Int32Array, bit: number, index: number, gap: number): boolean {
  return index - (seen[31 - Math.clz32(bit)] as number) <= gap
}

function weigh(
  classes: number,
  word: string,
  before: string,
  seen: Int32Array,
  index: number,
  factor: number,
  evidence: Evidence,
): void {
  const near = (bit: number, gap: number): boolean => seenWithin(seen, bit, index, gap)
  const is = (bit: number): boolean => (classes & bit) !== 0
  if (is(RULES)) {
    const isTheirs = near(EARLIER, 3) || near(OWN, 3) || near(HIDDEN, 2)
    if (near(OVERRIDE, 6)) note(evidence, 'overrides-rules', (isTheirs || near(ALL, 3) ? 0.85 : 0.65) * factor)
    if (near(REVEAL, 7)) note(evidence, 'asks-for-instructions', (isTheirs ? 0.75 : 0.25) * factor)
    if (near(FREE, 2)) note(evidence, 'changes-role', 0.5 * factor)
  }
  if (is(EARLIER)) {
    if (near(OVERRIDE, 3) && (near(OWN, 2) || near(ALL, 2))) note(evidence, 'overrides-rules', 0.6 * factor)
    if (near(REVEAL, 4))
      note(evidence, 'asks-for-instructions', (near(OWN, 1) || before === 'everything' ? 0.6 : 0.15) * factor)
  }
  if (is(HIDDEN) && near(REVEAL, 4)) note(evidence, 'asks-for-instructions', 0.35 * factor)
  if (is(VOIDED) && CLAIM.test(before) && (near(RULES, 4) || near(HIDDEN, 3)))
    note(evidence, 'overrides-rules', 0.5 * factor)
  if (is(SECRET) && (near(REVEAL, 8) || near(ACT, 3))) {
    note(evidence, 'asks-for-secrets', (near(OWN, 4) || near(HIDDEN, 2) ? 0.5 : 0.3) * factor)
    if (near(PRETEND, 12)) note(evidence, 'changes-role', 0.4 * factor)
  }
  if (is(LIMIT)) {
    if (near(OVERRIDE, 4)) note(evidence, 'lifts-a-limit', 0.5 * factor)
    if (near(FREE, 2)) note(evidence, 'changes-role', 0.55 * factor)
  }
  if (is(FREE) && near(LIMIT, 5)) note(evidence, 'lifts-a-limit', 0.5 * factor)
  if (is(ACT) && near(MODEL, 4) && near(MUST, 3)) note(evidence, 'addresses-the-model', 0.6 * factor)
  if (is(ACT) && before === 'must') note(evidence, 'addresses-the-model', 0.35 * factor)
  if (is(APPROVAL)) {
    if (before === 'already' || before === 'pre') note(evidence, 'claims-approval', 0.6 * factor)
    else if (CLAIM.test(before)) note(evidence, 'claims-approval', 0.3 * factor)
    if (before === 'i' && word.startsWith('author')) note(evidence, 'claims-approval', 0.55 * factor)
    if (near(PRETEND, 8)) note(evidence, 'claims-approval', 0.5 * factor)
  }
  if (is(ASK)) {
    if (before === 'without') note(evidence, 'hides-from-the-user', 0.55 * factor)
    if (near(OVERRIDE, 2) || near(VOIDED, 2)) note(evidence, 'claims-approval', 0.45 * factor)
  }
  if (is(QUIET) && (near(MUST, 4) || near(ACT, 4))) note(evidence, 'hides-from-the-user', 0.4 * factor)
  if (is(MODEL) && near(ROUTE, 2)) note(evidence, 'steers-the-gateway', 0.5 * factor)
}

const CLAIM = /^(?:already|has|have|is|are|was|were|been|be|pre|now|fully|hereby)$/
