import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitBoostedTrees } from '../../scripts/router-train/boosting.ts'
import { crossValidated, scoredWithout } from '../../scripts/router-train/judge.ts'
import {
  examplesOf,
  foldOf,
  readOutcomeFiles,
  readOutcomeLog,
  stemOf,
  type Example,
  type OutcomeRow,
} from '../../scripts/router-train/outcome-sets.ts'
import { sharedMixture, type LearnerSums } from '../../scripts/router-train/mixture.ts'
import { areaUnderRoc, gapCurve } from '../../scripts/router-train/ranking.ts'
import { fitRidge } from '../../scripts/router-train/ridge.ts'
import { HeadTrainer } from '../../scripts/router-train/train-heads.ts'
import { makeRows } from '../../scripts/router-train/training-rows.ts'
import { treesSum } from '../../src/routing/boosted-trees.ts'
import type { RoutingFeatures } from '../../src/routing/features.ts'
import type { Mixture } from '../../src/routing/gain-expert.ts'
import { GainHeads, NEUTRAL_GAIN, type PairHead } from '../../src/routing/gain-heads.ts'
import { decodeHeads, encodeHeads } from '../../src/routing/head-file.ts'

const PAIR = { weak: 'w', strong: 's' }
const HARD = ['Integrate the wave equation', 'Derive the bond yield', 'Prove the lemma']
const EASY = ['Say hello to', 'Name the colour of', 'Spell the word']

/** The big model is better on one kind of prompt only. */
function tinySet(set: string): Example[] {
  const rows = Array.from({ length: 80 }, (_, i): OutcomeRow => {
    const isHard = i % 2 === 0
    const start = (isHard ? HARD : EASY)[i % 3] as string
    return {
      prompt: `${start} number ${'abcdefghij'[i % 10]}${'klmnopqrst'[i % 7]}${i}.`,
      y: { w: isHard ? 0 : 1, s: 1 },
    }
  })
  return examplesOf(set, PAIR, rows)
}

function trainerOn(examples: readonly Example[]): HeadTrainer {
  return new HeadTrainer(makeRows(examples), [...examples.keys()])
}

function bytesOf(examples: readonly Example[]): string {
  const { bin, json } = encodeHeads(trainerOn(examples).parts({}))
  return createHash('sha256').update(bin).update(json).digest('hex')
}

test('the same data gives the same bytes, other data others', () => {
  const examples = [...tinySet('one'), ...tinySet('two')]
  const bytes = bytesOf(examples)
  expect(bytesOf(examples)).toBe(bytes)
  expect(bytesOf(examples.slice(20))).not.toBe(bytes)
}, 60_000)

test('heads learn which prompts gain, and their file form judges as the fit did', () => {
  const examples = [...tinySet('one'), ...tinySet('two')]
  const trainer = trainerOn(examples)
  const heads = new GainHeads(decodeHeads(encodeHeads(trainer.parts({}))))
  const head = heads.forPair({ small: 'w', big: 's' })
  const gains = examples.map(({ features }) => head.gain(features))

  expect(head.choice).toEqual({ kind: 'own', pair: 'w to s' })
  expect(
    areaUnderRoc(
      gains,
      examples.map(({ big, small }) => big > small),
    ),
  ).toBe(1)
  // Eight bits for a weight of an n-gram.
  for (const [row, gain] of gains.entries()) expect(gain).toBeCloseTo(trainer.score(row, 'plain'), 2)
})

test('of asks that are not read whole, only a head that learned from such asks claims an order', () => {
  const heads = new GainHeads(trainerOn([...tinySet('one'), ...tinySet('two')]).parts({}))
  const asks = (length: number): Example[] =>
    examplesOf(
      'asks',
      PAIR,
      [HARD[0], EASY[0]].map((start) => ({ prompt: `${start} now. `.repeat(length), y: { w: 0, s: 1 } })),
    )
  const [general, own] = [heads.forPair({}), heads.forPair({ small: 'w', big: 's' })]
  const gains = (head: PairHead, length: number): number[] => asks(length).map(({ features }) => head.gain(features))
  expect(new Set(gains(general, 200))).toEqual(new Set([NEUTRAL_GAIN]))
  expect(new Set(gains(general, 2)).size).toBe(2)
  expect(new Set(gains(own, 200)).size).toBe(2)
  expect(general.explain(asks(200)[0]?.features as RoutingFeatures)).toMatchObject({
    gain: NEUTRAL_GAIN,
    terms: { words: 0, counts: 0, trees: 0, encoder: 0 },
  })
}, 60_000)

test('requests with tools are not ordered by heads that never saw any', () => {
  const trainer = trainerOn([...tinySet('one'), ...tinySet('two')])
  const general = new GainHeads(trainer.parts({})).forPair({})
  const tools = [{ name: 'look_up', parameters: { properties: { a: {}, b: {} } } }]
  const rows = [HARD[0], EASY[0]].map((prompt): OutcomeRow => ({ prompt: prompt as string, y: { w: 0, s: 1 }, tools }))
  const gains = examplesOf('tools', PAIR, rows).map(({ features }) => general.gain(features))
  expect(gains).toEqual([NEUTRAL_GAIN, NEUTRAL_GAIN])
}, 60_000)

describe("a log of one's own", () => {
  const written = (text: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'outcomes-')), 'log.jsonl')
    writeFileSync(path, text)
    return path
  }
  const LINES = `{"prompt":"a\\u2028b","y":{"mini":0,"middle":0.5,"maxi":1}}\n\n{"prompt":"c","tools":[{"name":"t"}],"y":{"mini":1,"maxi":1}}\n`

  test('is read line by line, its weakest and strongest model as the pair', () => {
    const { set, pair, rows } = readOutcomeLog(written(LINES), {})
    expect(set).toBe('log')
    expect(pair).toEqual({ weak: 'mini', strong: 'maxi' })
    expect(rows.map(({ prompt }) => prompt)).toEqual(['a\u2028b', 'c'])
    expect(examplesOf(set, pair, rows).map(({ kind }) => kind)).toEqual(['chat', 'tools'])
  })

  test('is read for the models that are asked for', () => {
    expect(readOutcomeLog(written(LINES), { big: 'middle' }).pair).toEqual({ weak: 'mini', strong: 'middle' })
    expect(() => readOutcomeLog(written(LINES), { small: 'none' })).toThrow('has outcomes of both none and maxi')
  })

  test('is refused, naming the line that is no outcome', () => {
    expect(() => readOutcomeLog(written(`${LINES}{"prompt":1}`), {})).toThrow(/^Line 4 of .*log.jsonl is no/)
    expect(() => readOutcomeLog(written(''), {})).toThrow('No line of')
  })
})

describe('learners in given shares', () => {
  const sums: LearnerSums = {
    words: Float64Array.of(0, 0, 2, 2),
    counts: Float64Array.of(0, 10, 0, 10),
    trees: new Float64Array(4),
    encoder: new Float64Array(4),
  }
  const shares = { words: 1, counts: 0.5, trees: 1, encoder: 0 }
  const mixtureOf = (targets: number[]): Mixture =>
    sharedMixture(sums, Float64Array.from(targets), new Float64Array(4).fill(1), () => true, shares)

  test('count by share, whatever their scale, with half of the slope that fits', () => {
    // Targets are the shares' own sum of words (-1, 1) and counts (-0.5, 0.5), and 3.
    const { bias, ...weights } = mixtureOf([1.5, 2.5, 3.5, 4.5])
    expect(weights).toEqual({ words: 0.5, counts: 0.05, trees: 0, encoder: 0 })
    expect(bias).toBeCloseTo(3 - 0.5 - 0.25)
  })

  test('say the same of every request where they point the wrong way', () => {
    expect(mixtureOf([4, 3, 2, 1])).toEqual({ bias: 2.5, words: 0, counts: 0, trees: 0, encoder: 0 })
  })
})

test('every prompt is scored by learners that saw neither it nor its question elsewhere', () => {
  // Outcomes are coin throws: whoever peeks at the answer of the same question in the other set does better than chance.
  const rows = Array.from({ length: 400 }, (_, i): OutcomeRow => {
    const word = createHash('sha256').update(String(i)).digest('hex')
    return { prompt: `Question ${word}?`, y: { w: Number.parseInt(word[0] as string, 16) % 2, s: 1 } }
  })
  const examples = [...examplesOf('one', PAIR, rows), ...examplesOf('two', PAIR, rows)]
  const positive = examples.map(({ big, small }) => big > small)
  const validated = crossValidated(trainerOn(examples)).plain
  const unseen = scoredWithout(makeRows([...examples, ...tinySet('three')]), (row) => row < 400).plain
  const scoresOf = (scores: ReadonlyMap<number, number>, rows: number): number[] =>
    Array.from({ length: rows }, (_, row) => scores.get(row) as number)
  expect(Math.abs(areaUnderRoc(scoresOf(validated, 800), positive) - 0.5)).toBeLessThan(0.12)
  expect(Math.abs(areaUnderRoc(scoresOf(unseen, 400), positive.slice(0, 400)) - 0.5)).toBeLessThan(0.12)
})

test('boosted trees find a step that no line can', () => {
  const rows = Array.from({ length: 400 }, (_, i) => [i % 20, (i * 7) % 13, 1])
  const targets = Float64Array.from(rows, ([a, b]) => ((a as number) > 9 === (b as number) > 6 ? 1 : -1))
  const trees = fitBoostedTrees({
    rows,
    use: Uint32Array.from(rows.keys()),
    targets,
    rowWeights: new Float64Array(rows.length).fill(1),
    trees: 60,
    depth: 2,
    rate: 0.3,
    penalty: 1,
    leafWeight: 5,
  })
  for (const [i, row] of rows.entries()) expect(Math.sign(treesSum(trees, row))).toBe(targets[i])
})

test('absent data is one sentence that names the folder', () => {
  expect(() => readOutcomeFiles(pathToFileURL('/nowhere/routing/'))).toThrow(
    'The recorded outcomes are not there: /nowhere/routing/ has no *.jsonl.gz with them.',
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

  test('a score that is no number is refused, not looped over', () => {
    expect(() => gapCurve([1, Number.NaN], [1, 0])).toThrow('Score 1 is no number.')
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
