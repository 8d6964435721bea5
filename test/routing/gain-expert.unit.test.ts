import { expect, test } from 'vitest'
import { treesSum, type BoostedTrees } from '../../src/routing/boosted-trees.ts'
import { COUNT_NAMES, featuresOf } from '../../src/routing/features.ts'
import { expertGain, type GainExpertParts } from '../../src/routing/gain-expert.ts'
import { BUCKETS, NgramCounter } from '../../src/routing/ngram-counter.ts'
import { chatRequest } from '../support/fake-steps.ts'

const WIDTH = COUNT_NAMES.length
const NOTHING = { bias: 0, words: 0, counts: 0, trees: 0, encoder: 0 }
const BASE: GainExpertParts = {
  words: new Int8Array(BUCKETS),
  wordScale: 0.5,
  counts: { weights: new Float32Array(WIDTH), lows: new Float32Array(WIDTH), highs: new Float32Array(WIDTH).fill(10) },
  countBias: 0,
  trees: { depth: 1, features: new Uint8Array(0), thresholds: new Float32Array(0), leaves: new Float32Array(0) },
  encoder: new Float32Array(384),
  plain: NOTHING,
  encoded: NOTHING,
}

function gainOf(parts: Partial<GainExpertParts>, content: string, vector?: Float32Array): number {
  const features = featuresOf(chatRequest({ messages: [{ role: 'user', content }] }))
  return expertGain({ ...BASE, ...parts }, features, new NgramCounter(), vector)
}

test('words count by the product of weights and normalised sublinear frequencies', () => {
  const ngrams = new NgramCounter()
  ngrams.count('word')
  const words = new Int8Array(BUCKETS)
  words[ngrams.touched[0] as number] = 100
  const plain = { ...NOTHING, bias: 0.25, words: 2 }
  expect(gainOf({ words, plain }, 'word')).toBeCloseTo(0.25 + 2 * 0.5 * 100)
  // Three grams of one occurrence each have length sqrt(3).
  expect(gainOf({ words, plain }, 'word here')).toBeCloseTo(0.25 + (2 * 0.5 * 100) / Math.sqrt(3))
})

test('a count beyond what training saw is taken as the nearest it saw', () => {
  const one = (value: number): Float32Array => Float32Array.from({ length: WIDTH }, (_, i) => (i === 0 ? value : 0))
  const parts = {
    counts: { weights: one(1), lows: one(2), highs: one(3) },
    countBias: 0.5,
    plain: { ...NOTHING, counts: 1 },
  }
  expect(gainOf(parts, '')).toBe(2.5)
  expect(gainOf(parts, 'x'.repeat(500))).toBe(3.5)
  expect(gainOf(parts, 'x'.repeat(11))).toBeCloseTo(0.5 + Math.log(12))
})

test('a vector switches to the other mixture', () => {
  const encoder = new Float32Array(384)
  encoder[3] = 2
  const vector = new Float32Array(384)
  vector[3] = 0.5
  const parts = { encoder, plain: { ...NOTHING, bias: 0.1 }, encoded: { ...NOTHING, bias: 0.2, encoder: 3 } }
  expect(gainOf(parts, 'x')).toBeCloseTo(0.1)
  expect(gainOf(parts, 'x', vector)).toBeCloseTo(0.2 + 3)
})

test('trees add the leaves that the counts fall into', () => {
  const trees: BoostedTrees = {
    depth: 2,
    // The second tree looks at the third count alone; Infinity goes left always.
    features: Uint8Array.of(0, 1, 1, 2, 0, 0),
    thresholds: Float32Array.of(5, 1, 2, 7, Infinity, Infinity),
    leaves: Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40),
  }
  expect(treesSum(trees, [5, 1, 7])).toBe(1 + 10)
  expect(treesSum(trees, [5, 1.5, 7.5])).toBe(2 + 30)
  expect(treesSum(trees, [6, 2, 0])).toBe(3 + 10)
  expect(treesSum(trees, [6, 3, 8])).toBe(4 + 30)
})

test('trees of the depth that ships add up like trees of any depth', () => {
  const trees = 50
  const random = (length: number, most: number): number[] =>
    Array.from({ length }, (_, i) => (((i + 1) * 7919) % 1009) * (most / 1009))
  const deep: BoostedTrees = {
    depth: 4,
    features: Uint8Array.from(random(trees * 15, 20)),
    thresholds: Float32Array.from(random(trees * 15, 6)),
    leaves: Float32Array.from(random(trees * 16, 1)),
  }
  const counts = random(20, 7)
  // One level at a time: the leaf of each tree, found by hand.
  let sum = 0
  for (let tree = 0; tree < trees; tree++) {
    let node = 0
    while (node < 15) {
      const at = tree * 15 + node
      const isRight = (counts[deep.features[at] as number] as number) > (deep.thresholds[at] as number)
      node = 2 * node + (isRight ? 2 : 1)
    }
    sum += deep.leaves[tree * 16 + node - 15] as number
  }
  expect(treesSum(deep, counts)).toBe(sum)
})
