/**
 * Counts on the face of a text, in one pass. Case and the amount of white space make no difference: who types carelessly
 * asks the same. Signs are counted for what they tell: options, numbers, formulas, code.
 */
import { CharCodes } from './char-codes.ts'
import { CLASS_NAMES, classOf, FNV_PRIME, HASH_SEED } from './word-classes.ts'

/** Names of the counts in the order of `readSurface`. */
export const SURFACE_NAMES: readonly string[] = [
  'characters',
  'words',
  'distinct_words',
  'word_letters',
  'long_words',
  'lines',
  'sentences',
  'question_marks',
  'commas',
  'colons',
  'quotes',
  'brackets',
  'digits',
  'numbers',
  'longest_number',
  'decimals',
  'money_signs',
  'percent_signs',
  'math_signs',
  'backslashes',
  'underscores',
  'code_signs',
  'code_fences',
  'non_ascii',
  'option_lines',
  'stem_characters',
  'option_characters',
  'option_digits',
  ...CLASS_NAMES.map((name) => `words_${name}`),
]
const CLASSES_AT = SURFACE_NAMES.length - CLASS_NAMES.length

const CODES = new CharCodes()

/** The words of the last text, by hash: what else looks at words need not read it again. */
const WORDS_KEPT = 1024
const HASHES = new Int32Array(WORDS_KEPT)
let lastText = ''
let lastWords = 0
const UNUSED = new Float64Array(SURFACE_NAMES.length)

/** Words seen in this text, by hash: a slot holds the number of the text that used it last. */
const SEEN = new Uint32Array(4096)
let generation = 0

/** Writes one count per name into `into`, from its start. */
export function readSurface(text: string, into: Float64Array): void {
  into.fill(0, 0, SURFACE_NAMES.length)
  generation = (generation + 1) >>> 0
  if (generation === 0) {
    SEEN.fill(0)
    generation = 1
  }
  CODES.read(text)
  const { codes } = CODES
  const { length } = text
  let characters = 0
  let words = 0
  let distinct = 0
  let letters = 0
  let longWords = 0
  let lines = length === 0 ? 0 : 1
  let sentences = 0
  let questions = 0
  let commas = 0
  let colons = 0
  let quotes = 0
  let brackets = 0
  let digits = 0
  let numbers = 0
  let longestNumber = 0
  let decimals = 0
  let money = 0
  let percents = 0
  let maths = 0
  let backslashes = 0
  let underscores = 0
  let codeSigns = 0
  let nonAscii = 0
  let options = 0
  let optionFrom = 0
  let optionDigits = 0
  let hash = HASH_SEED
  let wordLength = 0
  let run = 0
  let isLineStart = true
  for (let i = 0; i <= length; i++) {
    const code = i === length ? 32 : (codes[i] as number)
    const kind = code < 128 ? (KINDS[code] as number) : FOREIGN
    if (kind === LETTER || kind === DIGIT) {
      if (isLineStart) {
        isLineStart = false
        if (isOption(codes, i, length)) {
          if (options === 0) optionFrom = characters
          options++
        }
      }
      characters++
      hash = Math.imul(hash ^ (kind === LETTER ? code | 32 : code), FNV_PRIME)
      wordLength++
      if (kind === DIGIT) {
        digits++
        if (options > 0) optionDigits++
        if (run === 0) numbers++
        run++
        if (run > longestNumber) longestNumber = run
      } else run = 0
      continue
    }
    if (kind === FOREIGN) {
      characters++
      nonAscii++
      hash = Math.imul(hash ^ code, FNV_PRIME)
      wordLength++
      isLineStart = false
      run = 0
      continue
    }
    // "don't" is one word.
    if (kind === APOSTROPHE && wordLength > 0) {
      characters++
      continue
    }
    if (wordLength > 0) {
      if (words < WORDS_KEPT) HASHES[words] = hash
      words++
      letters += wordLength
      if (wordLength > 8) longWords++
      const slot = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 20
      if (SEEN[slot] !== generation) {
        SEEN[slot] = generation
        distinct++
      }
      const group = classOf(hash)
      if (group !== -1) into[CLASSES_AT + group] = (into[CLASSES_AT + group] as number) + 1
      hash = HASH_SEED
      wordLength = 0
    }
    if (kind === BLANK) {
      run = 0
      continue
    }
    if (kind === LINE_END) {
      if (!isLineStart) lines++
      isLineStart = true
      run = 0
      continue
    }
    characters++
    if (isLineStart && code === 40 && isOption(codes, i + 1, length)) {
      if (options === 0) optionFrom = characters
      options++
    }
    isLineStart = false
    switch (kind) {
      case STOP:
        if (code === 46 && run > 0 && isDigit(codes, i + 1, length)) {
          decimals++
          // The digits behind the point are the same number.
          continue
        } else sentences++
        if (code === 63) questions++
        break
      case COMMA:
        commas++
        break
      case COLON:
        colons++
        break
      case QUOTE:
        quotes++
        break
      case BRACKET:
        brackets++
        break
      case MONEY:
        money++
        break
      case PERCENT:
        percents++
        break
      case MATH:
        maths++
        break
      case BACKSLASH:
        backslashes++
        break
      case UNDERSCORE:
        underscores++
        break
      case CODE:
        codeSigns++
        break
    }
    run = 0
  }
  lastText = text
  lastWords = Math.min(words, WORDS_KEPT)
  into[0] = characters
  into[1] = words
  into[2] = distinct
  into[3] = words === 0 ? 0 : letters / words
  into[4] = longWords
  into[5] = lines
  into[6] = sentences
  into[7] = questions
  into[8] = commas
  into[9] = colons
  into[10] = quotes
  into[11] = brackets
  into[12] = digits
  into[13] = numbers
  into[14] = longestNumber
  into[15] = decimals
  into[16] = money
  into[17] = percents
  into[18] = maths
  into[19] = backslashes
  into[20] = underscores
  into[21] = codeSigns
  into[22] = occurrences(text, '```')
  into[23] = nonAscii
  into[24] = options
  into[25] = options === 0 ? characters : optionFrom
  into[26] = options === 0 ? 0 : (characters - optionFrom) / options
  into[27] = optionDigits
}

export interface WordHashes {
  /** FNV-1a of each word's lower-case letters and digits; valid until the next text is read. */
  readonly hashes: Int32Array
  readonly count: number
}

/** The words of a text in their order; at hand where it is the last one that `readSurface` has read. */
export function wordHashesOf(text: string): WordHashes {
  if (text !== lastText) readSurface(text, UNUSED)
  return { hashes: HASHES, count: lastWords }
}

/** Whether a word of the last text that was read had this hash. */
export function wasSeen(hash: number): boolean {
  return SEEN[Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 20] === generation
}

const BLANK = 0
const LETTER = 1
const DIGIT = 2
const LINE_END = 3
const APOSTROPHE = 4
const STOP = 5
const COMMA = 6
const COLON = 7
const QUOTE = 8
const BRACKET = 9
const MONEY = 10
const PERCENT = 11
const MATH = 12
const BACKSLASH = 13
const UNDERSCORE = 14
const CODE = 15
const FOREIGN = 16

/** What a character is to the surface, by its code: one look instead of a chain of comparisons for each character. */
const KINDS = new Uint8Array(128)
KINDS.fill(DIGIT, 48, 58)
KINDS.fill(LETTER, 65, 91)
KINDS.fill(LETTER, 97, 123)
KINDS[10] = LINE_END
KINDS[39] = APOSTROPHE
for (const [signs, kind] of [
  ['.!?', STOP],
  [',', COMMA],
  [':;', COLON],
  ['"', QUOTE],
  ['()', BRACKET],
  ['$', MONEY],
  ['%', PERCENT],
  ['+*/=^<>', MATH],
  ['\\', BACKSLASH],
  ['_', UNDERSCORE],
  ['[]{}#@&|~`', CODE],
] as const) {
  for (const sign of signs) KINDS[sign.charCodeAt(0)] = kind
}

/** `B. …`, `B) …` at this place: one option of a multiple-choice question; of `(B) …` the bracket has been read. */
function isOption(codes: Uint16Array, at: number, length: number): boolean {
  const letter = (codes[at] as number) | 32
  if (at + 2 >= length || letter < 97 || letter > 112) return false
  const sign = codes[at + 1]
  const next = codes[at + 2]
  return (sign === 46 || sign === 41) && (next === 32 || next === 10)
}

function isDigit(codes: Uint16Array, at: number, length: number): boolean {
  return at < length && (codes[at] as number) >= 48 && (codes[at] as number) <= 57
}

function occurrences(text: string, piece: string): number {
  let count = 0
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + piece.length)) count++
  return count
}
