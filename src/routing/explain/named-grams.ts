/** Which words and pairs of a text stand behind the buckets that `NgramCounter` counts them into. Slow and for people; asks the counter itself, so that both agree. */
import { NgramCounter } from '../ngram-counter.ts'

/** What the counter takes for a word: ASCII letters and digits, `_`, and everything beyond ASCII. */
const WORD = /[a-z0-9_\u0080-\uffff]+/g

/** Bucket -> the grams of `text` in it as they first appear, in small letters. Every digit counts as the same one: `12` stands for `34` too. */
export function namedGrams(text: string): ReadonlyMap<number, readonly string[]> {
  const words = text.toLowerCase().match(WORD) ?? []
  const counter = new NgramCounter()
  const names = new Map<number, string[]>()
  const seen = new Set<string>()
  const note = (bucket: number, gram: string): void => {
    const folded = gram.replaceAll(/\d/g, '0')
    if (seen.has(folded)) return
    seen.add(folded)
    const grams = names.get(bucket)
    if (grams === undefined) names.set(bucket, [gram])
    else grams.push(gram)
  }
  let before: { readonly word: string; readonly bucket: number } | undefined
  for (const word of words) {
    counter.count(word)
    const bucket = counter.touched[0] as number
    note(bucket, word)
    if (before !== undefined) note(pairBucket(counter, before, { word, bucket }), `${before.word} ${word}`)
    before = { word, bucket }
  }
  return names
}

interface Word {
  readonly word: string
  readonly bucket: number
}

/** The bucket that two words fill more than each of them alone does. */
function pairBucket(counter: NgramCounter, a: Word, b: Word): number {
  counter.count(`${a.word} ${b.word}`)
  for (let i = 0; i < counter.size; i++) {
    const bucket = counter.touched[i] as number
    const ofWords = (bucket === a.bucket ? 1 : 0) + (bucket === b.bucket ? 1 : 0)
    if ((counter.counts[bucket] as number) > ofWords) return bucket
  }
  throw new RangeError('Two words are no pair to the counter.')
}
