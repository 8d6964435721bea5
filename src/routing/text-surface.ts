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

/** How often each kind of character was met. A table instead of a variable each: so many do not fit a core's registers. */
const TALLY = new Uint32Array(17)

/** Hashes of the words as n-grams part them, in their order, of the text that was read last. */
let gramHashes = new Int32Array(1024)
let gramCount = 0

/** As a signed number, like all that come of it: mixed signs would make every hash a floating-point number. */
const SEED = HASH_SEED | 0

/** Writes one count per name into `into`, from its start. */
export function readSurface(text: string, into: Float64Array): void {
  into.fill(0, 0, SURFACE_NAMES.length)
  TALLY.fill(0)
  generation = (generation + 1) >>> 0
  if (generation === 0) {
    SEEN.fill(0)
    generation = 1
  }
  CODES.read(text)
  const { codes } = CODES
  const { length } = text
  // A word and what parts it from the next are two characters at least.
  if (gramHashes.length * 2 < length + 1) gramHashes = new Int32Array(length)
  const grams = gramHashes
  let gramsRead = 0
  let characters = 0
  let words = 0
  let distinct = 0
  let letters = 0
  let longWords = 0
  let lines = length === 0 ? 0 : 1
  let questions = 0
  let numbers = 0
  let longestNumber = 0
  let decimals = 0
  let options = 0
  let optionFrom = 0
  let digitsBefore = 0
  let hash = SEED
  let wordLength = 0
  let gram = SEED
  let isGramOpen = false
  let run = 0
  let isLineStart = true
  // The blank behind the text ends its last word.
  for (let i = 0; i <= length; i++) {
    let code = codes[i] as number
    let kind = kindAt(code)
    if (kind === LETTER) {
      if (isLineStart) {
        isLineStart = false
        if (isOption(codes, i, length)) {
          if (options === 0) {
            optionFrom = characters
            digitsBefore = TALLY[DIGIT] as number
          }
          options++
        }
      }
      const from = i
      // Most characters are letters behind letters. Both hashes are taken side by side: a core waits for neither.
      do {
        hash = Math.imul(hash ^ (code | 32), FNV_PRIME)
        gram = Math.imul(gram ^ (code | 32), FNV_PRIME)
        code = codes[++i] as number
        kind = kindAt(code)
      } while (kind === LETTER)
      characters += i - from
      wordLength += i - from
      isGramOpen = true
      run = 0
    }
    TALLY[kind] = (TALLY[kind] as number) + 1
    if (kind === DIGIT) {
      isLineStart = false
      characters++
      hash = Math.imul(hash ^ code, FNV_PRIME)
      wordLength++
      // N-grams take every digit for a 0.
      gram = Math.imul(gram ^ 48, FNV_PRIME)
      isGramOpen = true
      if (run === 0) numbers++
      run++
      if (run > longestNumber) longestNumber = run
      continue
    }
    if (kind === FOREIGN) {
      characters++
      hash = Math.imul(hash ^ code, FNV_PRIME)
      wordLength++
      isLineStart = false
      run = 0
      continue
    }
    if (kind === UNDERSCORE) {
      gram = Math.imul(gram ^ code, FNV_PRIME)
      isGramOpen = true
    } else if (isGramOpen) {
      grams[gramsRead++] = gram
      gram = SEED
      isGramOpen = false
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
      hash = SEED
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
      if (options === 0) {
        optionFrom = characters
        digitsBefore = TALLY[DIGIT] as number
      }
      options++
    }
    isLineStart = false
    if (kind === STOP) {
      if (code === 46 && run > 0 && kindAt(codes[i + 1] as number) === DIGIT) {
        decimals++
        // The digits behind the point are the same number.
        continue
      }
      if (code === 63) questions++
    }
    run = 0
  }
  lastText = text
  lastWords = Math.min(words, WORDS_KEPT)
  gramCount = gramsRead
  const digits = TALLY[DIGIT] as number
  into[0] = characters
  into[1] = words
  into[2] = distinct
  into[3] = words === 0 ? 0 : letters / words
  into[4] = longWords
  into[5] = lines
  into[6] = (TALLY[STOP] as number) - decimals
  into[7] = questions
  into[8] = TALLY[COMMA] as number
  into[9] = TALLY[COLON] as number
  into[10] = TALLY[QUOTE] as number
  into[11] = TALLY[BRACKET] as number
  into[12] = digits
  into[13] = numbers
  into[14] = longestNumber
  into[15] = decimals
  into[16] = TALLY[MONEY] as number
  into[17] = TALLY[PERCENT] as number
  into[18] = TALLY[MATH] as number
  into[19] = TALLY[BACKSLASH] as number
  into[20] = TALLY[UNDERSCORE] as number
  into[21] = TALLY[CODE] as number
  into[22] = occurrences(text, '```')
  into[23] = TALLY[FOREIGN] as number
  into[24] = options
  into[25] = options === 0 ? characters : optionFrom
  into[26] = options === 0 ? 0 : (characters - optionFrom) / options
  into[27] = options === 0 ? 0 : digits - digitsBefore
}

/**
 * Hashes of the n-gram words of `text` in their order, read on the way by `readSurface`; the first `count` of them. Undefined = it
 * was not the last text, or it has characters that are folded by Unicode's rules.
 */
export function gramsOf(text: string): { readonly hashes: Int32Array; readonly count: number } | undefined {
  return text === lastText && TALLY[FOREIGN] === 0 ? { hashes: gramHashes, count: gramCount } : undefined
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

function kindAt(code: number): number {
  return code < 128 ? (KINDS[code] as number) : FOREIGN
}

function occurrences(text: string, piece: string): number {
  let count = 0
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + piece.length)) count++
  return count
}
