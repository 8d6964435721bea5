/** What an explanation lists adds up to the gain that decides, for any request. */
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { featuresOf } from '../../../src/routing/features.ts'
import { explainGain } from '../../../src/routing/explain/contributions.ts'
import { namedGrams } from '../../../src/routing/explain/named-grams.ts'
import { NgramCounter } from '../../../src/routing/ngram-counter.ts'
import { loadTrainedScorer } from '../../../src/routing/trained-scorer.ts'
import { requests, text } from '../../support/arbitrary-requests.ts'
import { chatRequest } from '../../support/fake-steps.ts'

const scorer = loadTrainedScorer(fileURLToPath(new URL('../../../router-models/gain-heads', import.meta.url)))
const heads = [
  scorer.forPair({}).head,
  scorer.forPair({ small: 'mixtral-8x7b-instruct-v0.1', big: 'gpt-4-1106-preview' }).head,
]

describe('contributions', () => {
  test('add up to the gain', () => {
    fc.assert(
      fc.property(requests, fc.constantFrom(...heads), (request, head) => {
        const features = featuresOf(request)
        const { contributions } = explainGain(head, features)
        const sum = contributions.reduce((all, { gain }) => all + gain, 0)
        expect(sum).toBeCloseTo(head.gain(features), 6)
      }),
      { numRuns: 300 },
    )
  })

  test('add up with a vector too', () => {
    const features = featuresOf(chatRequest({ messages: [{ role: 'user', content: 'What is 12 times 12?' }] }))
    const vector = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) / 14)
    for (const head of heads) {
      const { contributions } = explainGain(head, features, vector)
      expect(contributions.some(({ of }) => of === 'encoder')).toBe(true)
      expect(contributions.reduce((all, { gain }) => all + gain, 0)).toBeCloseTo(head.gain(features, vector), 6)
    }
  })

  test('name counts as they are, not as their logarithms', () => {
    const features = featuresOf(chatRequest({ messages: [{ role: 'user', content: 'one 22 333' }] }))
    const { contributions } = explainGain(heads[0] as (typeof heads)[number], features)
    const numbers = contributions.find(({ name }) => name === 'numbers')
    if (numbers !== undefined) expect(numbers.value).toBeCloseTo(2, 9)
    const word = contributions.find(({ of }) => of === 'words')
    expect(word).toBeDefined()
  })
})

describe('grams', () => {
  test('of a text are named, numbers as alike as they count', () => {
    const names = [...namedGrams("Don't add 12 to 345 or 678").values()].flat()
    expect(names.toSorted()).toEqual(
      [
        'don',
        'don t',
        't',
        't add',
        'add',
        'add 12',
        '12',
        '12 to',
        'to',
        'to 345',
        '345',
        '345 or',
        'or',
        'or 678',
      ].toSorted(),
    )
  })

  test('fill exactly the buckets that the counter counts', () => {
    fc.assert(
      fc.property(text, (words) => {
        const counter = new NgramCounter()
        counter.count(words)
        const counted = [...counter.touched.subarray(0, counter.size)].toSorted((a, b) => a - b)
        expect([...namedGrams(words).keys()].toSorted((a, b) => a - b)).toEqual(counted)
      }),
      { numRuns: 500 },
    )
  })
})
