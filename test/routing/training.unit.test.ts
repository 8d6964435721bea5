import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate } from '../../scripts/router-train/evaluate.ts'
import {
  examplesOf,
  foldOf,
  readExamples,
  stemOf,
  type Example,
  type OutcomeRow,
} from '../../scripts/router-train/outcome-sets.ts'
import { areaUnderRoc, gapCurve } from '../../scripts/router-train/ranking.ts'
import { fitRidge } from '../../scripts/router-train/ridge.ts'
import { fitProbability, fitWeights, headOf, makeRows } from '../../scripts/router-train/train-head.ts'
import { encodeHead } from '../../src/routing/head-file.ts'
import { LinearHead } from '../../src/routing/linear-head.ts'

const PAIR = { weak: 'w', strong: 's' }
const HARD = ['Integrate the wave equation', 'Derive the bond yield', 'Prove the lemma']
const EASY = ['Say hello to', 'Name the colour of', 'Spell the word']

/** The big model is better on one kind of prompt only. */
function tinySet(set: string): Example[] {
  const rows = Array.from({ length: 120 }, (_, i): OutcomeRow => {
    const isHard = i % 2 === 0
    const start = (isHard ? HARD : EASY)[i % 3] as string
    return {
      prompt: `${start} number ${'abcdefghij'[i % 10]}${'klmnopqrst'[i % 7]}${i}.`,
      y: { w: isHard ? 0 : 1, s: 1 },
    }
  })
  return examplesOf(set, PAIR, rows)
}

function trainedOn(examples: readonly Example[]): { head: LinearHead; bytes: string } {
  const data = makeRows(examples)
  const { sums } = evaluate(data, () => {})
  const weights = fitWeights(data, Uint32Array.from(examples.keys()))
  const parts = headOf(
    data,
    weights,
    fitProbability(
      sums,
      examples.map(({ big, small }) => big > small),
    ),
  )
  const { bin, json } = encodeHead(parts, { meanScore: 0.5, usualScores: [0.5] })
  return { head: new LinearHead(parts), bytes: createHash('sha256').update(bin).update(json).digest('hex') }
}

test('the same data gives the same bytes, other data others', () => {
  const examples = [...tinySet('one'), ...tinySet('two')]
  expect(trainedOn(examples).bytes).toBe(trainedOn(examples).bytes)
  expect(trainedOn(examples.slice(2)).bytes).not.toBe(trainedOn(examples).bytes)
})

test('a head learns which prompts gain, and its file form scores as the fit did', () => {
  const examples = [...tinySet('one'), ...tinySet('two')]
  const data = makeRows(examples)
  const weights = fitWeights(data, Uint32Array.from(examples.keys()))
  const head = new LinearHead(headOf(data, weights, { slope: 1, offset: 0 }))
  const sums = examples.map(({ features }) => head.sum(features))

  expect(
    areaUnderRoc(
      sums,
      examples.map(({ big, small }) => big > small),
    ),
  ).toBe(1)
  for (const [row, sum] of sums.entries()) {
    let fitted = 0
    for (let k = data.rows.starts[row] as number; k < (data.rows.starts[row + 1] as number); k++) {
      fitted += (data.rows.values[k] as number) * (weights[data.rows.columns[k] as number] as number)
    }
    expect(sum).toBeCloseTo(fitted, 3)
  }
})

test('every prompt is scored by heads that saw neither it nor its question elsewhere', () => {
  // Outcomes are coin throws: whoever peeks at the answer of the same question in the other set does better than chance.
  const rows = Array.from({ length: 400 }, (_, i): OutcomeRow => {
    const word = createHash('sha256').update(String(i)).digest('hex')
    return { prompt: `Question ${word}?`, y: { w: Number.parseInt(word[0] as string, 16) % 2, s: 1 } }
  })
  const examples = [...examplesOf('one', PAIR, rows), ...examplesOf('two', PAIR, rows)]
  const { sets } = evaluate(makeRows(examples), () => {})
  for (const { head, unseen } of sets) {
    expect(Math.abs(head.aucGain - 0.5)).toBeLessThan(0.12)
    expect(Math.abs(unseen.aucGain - 0.5)).toBeLessThan(0.12)
  }
})

test('absent data is one sentence that names the folder', () => {
  expect(() => readExamples(pathToFileURL('/nowhere/routing/'))).toThrow(
    'The recorded outcomes are not there: /nowhere/routing/ has no pairs.json.',
  )
})

describe('stems', () => {
  test.each([
    ['What is 2+2?\nA. 3\nB. 4', 'what is 2 2'],
    ['I. one\nII. two\nWhich?\nA) I only\nB) both', 'i one ii two which'],
    ['A. is not an option here', 'a is not an option here'],
    ['Écris "x"!', 'cris x'],
  ])('%j is %j', (prompt, stem) => {
    expect(stemOf(prompt)).toBe(stem)
  })

  test('the same question is in the same fold, and folds are about even', () => {
    expect(foldOf(stemOf('Why?\nA. x'), 5)).toBe(foldOf(stemOf('why\nA. y\nB. z'), 5))
    const sizes = [0, 0, 0, 0, 0]
    for (let i = 0; i < 5000; i++) sizes[foldOf(`question ${i}`, 5)] = (sizes[foldOf(`question ${i}`, 5)] as number) + 1
    expect(Math.min(...sizes)).toBeGreaterThan(900)
  })

  test('rows near RouteLLM’s training data and rows without an outcome are left out', () => {
    const y = { w: 0, s: 1 }
    const kept = examplesOf('set', PAIR, [
      { prompt: 'a', y },
      { prompt: 'b', y, contaminated: 1 },
      { prompt: 'c', y: { w: 0, s: null } },
      { prompt: 'd', y: { w: 0 } },
    ])
    expect(kept.map(({ stem }) => stem)).toEqual(['a'])
  })
})

describe('ranking figures', () => {
  const isTrue = [true, true, false, false]

  test.each([
    [[4, 3, 2, 1], 1],
    [[1, 2, 3, 4], 0],
    [[1, 1, 1, 1], 0.5],
    [[3, 1, 2, 0], 0.75],
  ])('the area of %j is %f', (scores, area) => {
    expect(areaUnderRoc(scores, isTrue)).toBe(area)
  })

  test('a constant score recovers the gap in proportion', () => {
    const { apgr, cpt50, cpt80 } = gapCurve([1, 1, 1, 1], [1, 0, 1, 0])
    expect([apgr, cpt50, cpt80]).toEqual([0.5, 0.5, 0.8])
  })

  test('the best order recovers it first', () => {
    // Two of four calls recover everything: half of the gap after one, mean over the way 0.75.
    expect(gapCurve([4, 3, 2, 1], [1, 1, 0, 0])).toEqual({ apgr: 0.75, cpt50: 0.25, cpt80: 0.4 })
  })

  test('turning the order round turns the figure round', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-1, 0, 1, 1), { minLength: 2, maxLength: 50 }), (gains) => {
        fc.pre(gains.reduce<number>((sum, gain) => sum + gain, 0) !== 0)
        const scores = gains.map((_, i) => i % 7)
        const there = gapCurve(scores, gains).apgr
        const back = gapCurve(
          scores.map((score) => -score),
          gains,
        ).apgr
        expect(there + back).toBeCloseTo(1)
      }),
    )
  })
})

test('ridge regression finds the weights that made the targets', () => {
  const rows = {
    starts: Uint32Array.of(0, 2, 4, 6, 7),
    columns: Uint32Array.of(0, 2, 1, 2, 0, 1, 2),
    values: Float32Array.of(1, 1, 1, 1, 2, 1, 1),
    width: 3,
  }
  const truth = [3, -2, 5]
  const targets = Float64Array.of(3 + 5, -2 + 5, 6 - 2, 5)
  const weights = fitRidge({
    rows,
    use: Uint32Array.of(0, 1, 2, 3),
    targets,
    rowWeights: Float64Array.of(1, 1, 1, 1),
    penalties: Float64Array.of(1e-9, 1e-9, 0),
    iterations: 20,
  })
  for (const [i, expected] of truth.entries()) expect(weights[i]).toBeCloseTo(expected, 4)
})

test('a probability is fitted to what happened', () => {
  const sums = Float64Array.from({ length: 4000 }, (_, i) => (i % 40) / 10 - 2)
  const happened = Array.from(sums, (sum, i) => ((i * 7919) % 1000) / 1000 < 1 / (1 + Math.exp(-(2 * sum - 1))))
  const { slope, offset } = fitProbability(sums, happened)
  expect(slope).toBeCloseTo(2, 0)
  expect(offset).toBeCloseTo(-1, 0)
})
