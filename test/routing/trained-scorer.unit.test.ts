import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { COUNT_NAMES, featuresOf } from '../../src/routing/features.ts'
import { decodeHead, encodeHead } from '../../src/routing/head-file.ts'
import { LinearHead, type LinearHeadParts } from '../../src/routing/linear-head.ts'
import { BUCKETS, NgramCounter } from '../../src/routing/ngram-counter.ts'
import { loadTrainedScorer } from '../../src/routing/trained-scorer.ts'
import { chatRequest } from '../support/fake-steps.ts'

const USUAL = { meanScore: 0.2, usualScores: [0.1, 0.3] }
const SHIPPED = fileURLToPath(new URL('../../router-models/first-router', import.meta.url))

function featuresFor(content: string): ReturnType<typeof featuresOf> {
  return featuresOf(chatRequest({ messages: [{ role: 'user', content }] }))
}

/** A copy of the shipped files that a test may damage. */
function copyOfShipped(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-weights-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const ending of ['bin', 'json']) copyFileSync(`${SHIPPED}.${ending}`, join(folder, `head.${ending}`))
  return join(folder, 'head')
}

describe('the shipped weights', () => {
  const scorer = loadTrainedScorer(SHIPPED)
  const scoreOf = (content: string): number => scorer.score(featuresFor(content))

  const EASY = [
    'What is the capital of France?',
    'Say hello.',
    "Translate 'good morning' to Spanish.",
    'What do plants need to grow?\nA. sunlight\nB. plastic\nC. metal\nD. noise',
  ]
  const HARD = [
    'A company issues $500,000 of 8% bonds due in 10 years while the market rate is 6%. Compute the issue price and the first year interest expense under the effective interest method.',
    'Statement 1| Every free abelian group is torsion free. Statement 2| Every finitely generated torsion-free abelian group is a free abelian group.\nA. True, True\nB. False, False\nC. True, False\nD. False, True',
    'A man sold his farm by an oral agreement, the buyer paid half the price and moved in, and the seller now refuses to convey. Will the buyer prevail in an action for specific performance, and on which exception to the Statute of Frauds?',
    'Prove that there are infinitely many primes congruent to 3 modulo 4.',
  ]

  // One head over all pairs is no judge of single prompts (its AUC is about 0.6): a quarter of these pairs may be the wrong way round.
  test('put most hard prompts above most easy ones', () => {
    const pairs = EASY.flatMap((easy) => HARD.map((hard) => scoreOf(easy) < scoreOf(hard)))
    expect(pairs.filter(Boolean).length).toBeGreaterThanOrEqual((pairs.length * 3) / 4)
  })

  test.each(['', ' ', '😀'.repeat(5000), '\u0000', 'a'.repeat(100_000), 'İ'.repeat(2000), '1'.repeat(3000)])(
    'give a probability for any text',
    (text) => {
      expect(scoreOf(text)).toBeGreaterThan(0)
      expect(scoreOf(text)).toBeLessThan(1)
    },
  )

  test('are a few hundred kilobytes at most', () => {
    expect(readFileSync(`${SHIPPED}.bin`).length).toBeLessThan(300_000)
  })
})

describe('weights are refused, naming the file,', () => {
  test('where one bit of them has changed', () => {
    const path = copyOfShipped()
    const bytes = readFileSync(`${path}.bin`)
    bytes[1000] = (bytes[1000] as number) ^ 1
    writeFileSync(`${path}.bin`, bytes)
    expect(() => loadTrainedScorer(path)).toThrow(
      new RegExp(`^Router weights ${path}: the weights have SHA-256 [0-9a-f]{64}`),
    )
  })

  test('where they are cut short', () => {
    const path = copyOfShipped()
    writeFileSync(`${path}.bin`, readFileSync(`${path}.bin`).subarray(0, 1000))
    expect(() => loadTrainedScorer(path)).toThrow('SHA-256')
  })

  test('where they are not there', () => {
    expect(() => loadTrainedScorer('/nowhere/head')).toThrow(/^Router weights \/nowhere\/head: ENOENT.*router:train/)
  })

  test.each<[string, (json: string) => string, RegExp]>([
    ['the description is no JSON', () => '{', /no JSON/],
    [
      'the description lacks something',
      (json) => json.replace('"bias"', '"bios"'),
      /description of the weights is wrong/,
    ],
    [
      'they were hashed with another seed',
      (json) => json.replace(/"hashSeed": \d+/, '"hashSeed": 1'),
      /other features/,
    ],
    ['a count has another name', (json) => json.replace('"text_words"', '"text_verbs"'), /other features/],
    ['the text was cut elsewhere', (json) => json.replace(/"headChars": \d+/, '"headChars": 1'), /other features/],
  ])('where %s', (_, damage, message) => {
    const path = copyOfShipped()
    writeFileSync(`${path}.json`, damage(readFileSync(`${path}.json`, 'utf8')))
    expect(() => loadTrainedScorer(path)).toThrow(message)
  })
})

describe('a linear head', () => {
  const counts = COUNT_NAMES.map(() => ({ weight: 0, low: 0, high: 10 }))
  const base: LinearHeadParts = {
    weights: new Int16Array(BUCKETS),
    scale: 0.5,
    counts,
    bias: 0.25,
    slope: 1,
    offset: 0,
  }

  test('is the product of weights and normalised sublinear frequencies, plus its bias', () => {
    const features = featuresFor('word')
    const ngrams = new NgramCounter()
    ngrams.count('word')
    const bucket = ngrams.touched[0] as number
    const weights = new Int16Array(BUCKETS)
    weights[bucket] = 100

    // Every gram of "word" occurs once, so each has the value 1 / sqrt(number of grams).
    expect(new LinearHead({ ...base, weights }).sum(features)).toBeCloseTo(0.25 + (0.5 * 100) / Math.sqrt(ngrams.size))
  })

  test('takes a count beyond what training saw as the nearest it saw', () => {
    const limited = counts.map((count, i) => (i === 0 ? { weight: 1, low: 2, high: 3 } : count))
    const sumOf = (text: string): number => new LinearHead({ ...base, counts: limited }).sum(featuresFor(text))
    expect(sumOf('')).toBe(2.25)
    expect(sumOf('x'.repeat(500))).toBe(3.25)
    expect(sumOf('x'.repeat(11))).toBeCloseTo(0.25 + Math.log(12))
  })

  test('is written and read back as it was', () => {
    const weights = Int16Array.from({ length: BUCKETS }, (_, i) => ((i * 7919) % 65_536) - 32_768)
    const parts = { ...base, weights }
    const read = decodeHead(encodeHead(parts, USUAL))
    expect(read.weights).toEqual(weights)
    expect(read).toMatchObject({ scale: 0.5, bias: 0.25, slope: 1, offset: 0 })
    expect(encodeHead(parts, USUAL)).toEqual(encodeHead(parts, USUAL))
  })
})
