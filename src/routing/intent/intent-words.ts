/** Words and pairs of neighbours by which intents are told apart, each with a number; what is not among them says nothing. */
import { COUNT_AT } from '../features.ts'
import { wordHashesOf } from '../text-surface.ts'
import { FNV_PRIME } from '../word-classes.ts'

/** What is wanted stands at the start or at the end of a message. */
const HEAD_WORDS = 48
const TAIL_WORDS = 16

/** Counts that say something of a sentence by itself, as `featuresOf` gives them. */
export const INTENT_COUNTS: readonly string[] = [
  'words',
  'lines',
  'question_marks',
  'quotes',
  'brackets',
  'numbers',
  'money_signs',
  'percent_signs',
  'math_signs',
  'backslashes',
  'underscores',
  'code_signs',
  'words_quantity',
  'words_proof',
  'words_asking',
  'words_naming',
  'words_code',
  'words_writing',
  'words_person',
]
export const COUNT_PLACES: readonly number[] = INTENT_COUNTS.map((name) => COUNT_AT[name] as number)

/** Calls `found` with the hash of each word of the head and the tail of a text, and of each pair of neighbours. */
export function eachGram(text: string, found: (hash: number) => void): void {
  const { hashes, count } = wordHashesOf(text)
  const tailFrom = Math.max(HEAD_WORDS, count - TAIL_WORDS)
  let before = 0
  for (let i = 0; i < count; i++) {
    if (i === HEAD_WORDS) {
      i = tailFrom
      before = 0
      if (i >= count) return
    }
    const word = hashes[i] as number
    found(word)
    if (before !== 0) found(pairHash(before, word))
    before = word
  }
}

function pairHash(before: number, word: number): number {
  return Math.imul(before ^ (word >>> 7), FNV_PRIME) ^ word
}

/** Numbers of hashes: open addressing, a quarter full at most. */
export class GramTable {
  readonly size: number
  readonly #keys: Int32Array
  readonly #numbers: Int16Array
  readonly #shift: number

  /** Distinct hashes, fewer than 32,768. */
  constructor(hashes: Int32Array) {
    this.size = hashes.length
    const bits = Math.max(4, Math.ceil(Math.log2(hashes.length * 4 + 1)))
    this.#shift = 32 - bits
    this.#keys = new Int32Array(1 << bits)
    this.#numbers = new Int16Array(1 << bits).fill(-1)
    for (const [number, hash] of hashes.entries()) {
      let slot = this.#slotOf(hash)
      while (this.#numbers[slot] !== -1) slot = (slot + 1) & (this.#keys.length - 1)
      this.#keys[slot] = hash
      this.#numbers[slot] = number
    }
  }

  /** -1 = unknown. */
  numberOf(hash: number): number {
    let slot = this.#slotOf(hash)
    for (;;) {
      const number = this.#numbers[slot] as number
      if (number === -1 || this.#keys[slot] === hash) return number
      slot = (slot + 1) & (this.#keys.length - 1)
    }
  }

  #slotOf(hash: number): number {
    return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> this.#shift
  }
}
