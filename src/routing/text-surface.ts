import { CharCodes } from './char-codes.ts'

const CODES = new CharCodes()

/** Counts on the face of a text: words, digits, options, negations and the like, in one pass. */
export function surfaceOf(text: string): Surface {
  const surface: Surface = {
    words: 0,
    lines: text === '' ? 0 : 1,
    digits: 0,
    capitals: 0,
    nonAscii: 0,
    mathSigns: 0,
    optionLines: startsAt(text, 0, OPTION_LINE) ? 1 : 0,
    codeFences: occurrences(text, '```'),
    negations: 0,
    questionMarks: 0,
  }
  CODES.read(text)
  const { codes } = CODES
  let isInWord = false
  for (let i = 0; i < text.length; i++) {
    const code = codes[i] as number
    const kind = code < 128 ? (CLASSES[code] as number) : OTHER
    if (kind === WHITE) {
      isInWord = false
      if (code !== 10) continue
      surface.lines++
      if (startsAt(text, i + 1, OPTION_LINE)) surface.optionLines++
      continue
    }
    if (!isInWord) {
      isInWord = true
      surface.words++
      if (mayNegate(code) && startsAt(text, i, NEGATION)) surface.negations++
    }
    if (kind === DIGIT) surface.digits++
    else if (kind === CAPITAL) surface.capitals++
    else if (kind === MATH) surface.mathSigns++
    else if (kind === QUESTION) surface.questionMarks++
    else if (code > 127) surface.nonAscii++
    else if (code === 39 && isNegatedVerb(text, i)) surface.negations++
  }
  return surface
}

/** What is counted on the face of a text, without understanding it. */
export interface Surface {
  words: number
  lines: number
  digits: number
  capitals: number
  nonAscii: number
  mathSigns: number
  optionLines: number
  codeFences: number
  negations: number
  questionMarks: number
}

/** A line such as `B. …`, `B) …` or `(b) …`: one option of a multiple-choice question. */
const OPTION_LINE = /[ \t]{0,8}\(?[A-Pa-p][.)] /y
const NEGATION = /(?:not|no|never|none|except|without|neither|nor|least|false)\b/iy

// What a character is to the surface, by its code: one look instead of a chain of comparisons for each character.
const OTHER = 0
const WHITE = 1
const DIGIT = 2
const CAPITAL = 3
const MATH = 4
const QUESTION = 5
const CLASSES = new Uint8Array(128)
for (const sign of '+*/=^<>$\\%') CLASSES[sign.charCodeAt(0)] = MATH
CLASSES.fill(WHITE, 9, 14)
CLASSES[32] = WHITE
CLASSES.fill(DIGIT, 48, 58)
CLASSES.fill(CAPITAL, 65, 91)
CLASSES[63] = QUESTION

/** Whether the apostrophe at this place is that of n't. */
function isNegatedVerb(text: string, at: number): boolean {
  return text.charCodeAt(at + 1) === 116 && text.charCodeAt(at - 1) === 110
}

/** Whether a negation may start with this character: n, e, w, l or f of either case. */
function mayNegate(code: number): boolean {
  const lower = code | 32
  return lower === 110 || lower === 101 || lower === 119 || lower === 108 || lower === 102
}

function occurrences(text: string, piece: string): number {
  let count = 0
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + piece.length)) count++
  return count
}

/** Whether a sticky pattern matches at this place. */
function startsAt(text: string, at: number, pattern: RegExp): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}
