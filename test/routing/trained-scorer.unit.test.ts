import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { examplesOf, readOutcomeFiles, type OutcomeFile } from '../../scripts/router-train/outcome-sets.ts'
import { gapCurve } from '../../scripts/router-train/ranking.ts'
import type { Tool } from '../../src/protocol/request.ts'
import { featuresOf } from '../../src/routing/features.ts'
import { decodeHeads, encodeHeads } from '../../src/routing/head-file.ts'
import { scoreOf } from '../../src/routing/gain-score.ts'
import { loadTrainedScorer } from '../../src/routing/trained-scorer.ts'
import { chatRequest } from '../support/fake-steps.ts'

const SHIPPED = fileURLToPath(new URL('../../router-models/gain-heads', import.meta.url))
const RECORDED = fileURLToPath(new URL('../../../shared/data/routing/', import.meta.url))
const MIXTRAL = { small: 'mistralai/Mixtral-8x7B-Instruct-v0.1', big: 'gpt-4-1106-preview' }

function featuresFor(content: string, tools: readonly Tool[] = []): ReturnType<typeof featuresOf> {
  return featuresOf(chatRequest({ messages: [{ role: 'user', content }], tools }))
}

/** A copy of the shipped files that a test may damage. */
function copyOfShipped(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-weights-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const ending of ['bin', 'json']) copyFileSync(`${SHIPPED}.${ending}`, join(folder, `heads.${ending}`))
  return join(folder, 'heads')
}

describe('the shipped weights', () => {
  const scorer = loadTrainedScorer(SHIPPED)

  const EASY = [
    'What is the capital of France?\nA. Rome\nB. Paris\nC. Bern\nD. Oslo',
    'Which of these animals lays eggs?\nA. a dog\nB. a cow\nC. a hen\nD. a whale',
    'What do plants need to grow?\nA. sunlight\nB. plastic\nC. metal\nD. noise',
  ]
  const HARD = [
    'Statement 1| Every free abelian group is torsion free. Statement 2| Every finitely generated torsion-free abelian group is a free abelian group.\nA. True, True\nB. False, False\nC. True, False\nD. False, True',
    'A company issues $500,000 of 8% bonds due in 10 years while the market rate is 6%. What is the interest expense of the first year under the effective interest method?\nA. $34,465\nB. $40,000\nC. $30,000\nD. $36,000',
    'Find the degree of the field extension Q(sqrt(2), sqrt(3), sqrt(18)) over Q.\nA. 0\nB. 4\nC. 2\nD. 6',
  ]

  // An APGR of 0.68 is no judge of single questions; the means of several tell.
  test('put questions that need thought above questions of plain knowledge', () => {
    const { head } = scorer.forPair(MIXTRAL)
    const mean = (texts: readonly string[]): number =>
      texts.reduce((sum, text) => sum + head.gain(featuresFor(text)), 0) / texts.length
    expect(mean(HARD)).toBeGreaterThan(mean(EASY))
  })

  // Weights and features that do not belong together would score like chance.
  test.skipIf(!existsSync(RECORDED))('rank recorded questions that they learned from as training said', () => {
    const [file] = readOutcomeFiles(pathToFileURL(RECORDED), ['routellm_mmlu'])
    const { set, pair, rows } = file as OutcomeFile
    const examples = examplesOf(set, pair, rows).filter((_, i) => i % 5 === 0)
    const { head } = scorer.forPair({ small: pair.weak, big: pair.strong })
    const { apgr } = gapCurve(
      examples.map(({ features }) => head.gain(features)),
      examples.map(({ big, small }) => big - small),
    )
    expect(apgr).toBeGreaterThan(0.72)
  })

  const CALCULATOR: Tool = {
    kind: 'function',
    name: 'add',
    parameters: { type: 'object', properties: { a: { type: 'number' } } },
  }
  test.each<[string, string, readonly Tool[]]>([
    ['nothing', '', []],
    ['a blank', ' ', []],
    ['one token', 'ok', []],
    ['pictures of faces', '😀'.repeat(5000), []],
    ['NUL', '\u0000', []],
    ['half of a pair', '\ud800', []],
    ['2 MB', 'word '.repeat(400_000), []],
    ['right to left', 'ما هي عاصمة فرنسا؟ '.repeat(50), []],
    ['letters that grow in lower case', 'İ'.repeat(2000), []],
    ['base64', Buffer.from('switchyard'.repeat(2000)).toString('base64'), []],
    ['minified code', 'function a(b){return b.map(c=>c*2)};'.repeat(500), []],
    ['lists of numbers', '1,2,3,23,1,000,000.5.5.,,'.repeat(100), []],
    ['400 tools', 'Add 1 and 2.', Array.from({ length: 400 }, () => CALCULATOR)],
  ])('give a score for %s, the same each time', (_, text, tools) => {
    for (const pair of [MIXTRAL, {}]) {
      const own = scorer.forPair(pair)
      const score = own.score(featuresFor(text, tools))
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThan(1)
      expect(own.score(featuresFor(text, tools))).toBe(score)
    }
  })

  test('give a score for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const score = scorer.score(featuresFor(text))
        expect(score > 0 && score < 1).toBe(true)
      }),
    )
  })

  test('judge a pair by its own outcomes, by those of the nearest, or by all together', () => {
    const choiceOf = (small: string, big: string): unknown => scorer.forPair({ small, big }).head.choice
    expect(choiceOf(MIXTRAL.small, MIXTRAL.big)).toEqual({ kind: 'own', pair: 'mixtral to gpt-4' })
    expect(choiceOf('meta-llama/Llama-3.1-8B-Instruct', 'anthropic/claude-3.5-sonnet-20241022')).toEqual({
      kind: 'own',
      pair: 'llama-3.1-8b to claude-3.5-sonnet',
    })
    expect(choiceOf('gemma-2-9b-it', 'claude-3-5-sonnet-20241022')).toMatchObject({ kind: 'nearest' })
    expect(choiceOf('my-own-model', 'another-one')).toEqual({ kind: 'general', pair: undefined })
    expect(scorer.head.choice).toEqual({ kind: 'general', pair: undefined })
  })

  test('explain a gain by its parts', () => {
    const { head } = scorer.forPair(MIXTRAL)
    const features = featuresFor(HARD[0] as string)
    const { gain, kind, expert, rows, terms } = head.explain(features)
    expect(gain).toBe(head.gain(features))
    expect({ kind, expert }).toEqual({ kind: 'choice', expert: 'mixtral to gpt-4' })
    expect(rows).toBeGreaterThan(10_000)
    expect(terms.encoder).toBe(0)
    // The encoder's part counts only where its vector is there.
    const vector = new Float32Array(384).fill(1 / Math.sqrt(384))
    expect(head.explain(features, vector).terms.encoder).not.toBe(0)
  })

  test('are written and read back as they were', () => {
    const files = { bin: readFileSync(`${SHIPPED}.bin`), json: readFileSync(`${SHIPPED}.json`, 'utf8') }
    const again = encodeHeads(decodeHeads(files))
    expect(again.json).toBe(files.json)
    expect(Buffer.compare(again.bin, files.bin)).toBe(0)
  })

  test('are less than 3 MB', () => {
    expect(statSync(`${SHIPPED}.bin`).size).toBeLessThan(3_000_000)
  })
})

test('a score keeps the order of gains and stays between 0 and 1', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.6, max: 1.6, noNaN: true }),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      (gain, more) => {
        expect(scoreOf(gain)).toBeGreaterThan(0)
        expect(scoreOf(gain + more)).toBeGreaterThan(scoreOf(gain))
        expect(scoreOf(gain)).toBeLessThan(1)
      },
    ),
  )
  expect(scoreOf(0.3)).toBe(0.3)
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
    expect(() => loadTrainedScorer('/nowhere/heads')).toThrow(/^Router weights \/nowhere\/heads: ENOENT.*router:train/)
  })

  test.each<[string, (json: string) => string, RegExp]>([
    ['the description is no JSON', () => '{', /no JSON/],
    ['it has another version', (json) => json.replace('gain-heads-1', 'gain-heads-9'), /wrong at format/],
    [
      'the description lacks something',
      (json) => json.replace('"pairs"', '"pears"'),
      /description of the weights is wrong/,
    ],
    [
      'they were hashed with another seed',
      (json) => json.replace(/"hashSeed": \d+/, '"hashSeed": 1'),
      /other features/,
    ],
    ['a count has another name', (json) => json.replace('"sentences"', '"phrases"'), /other features/],
    ['the text was cut elsewhere', (json) => json.replace(/"headChars": \d+/, '"headChars": 1'), /other features/],
    [
      'words are in other classes',
      (json) => json.replace(/"wordClassesSha256": "\w/, '"wordClassesSha256": "x'),
      /other features/,
    ],
    ['an expert has more trees', (json) => json.replace(/"trees": (?=[2-9])/, '"trees": 1'), /another length/],
  ])('where %s', (_, damage, message) => {
    const path = copyOfShipped()
    writeFileSync(`${path}.json`, damage(readFileSync(`${path}.json`, 'utf8')))
    expect(() => loadTrainedScorer(path)).toThrow(message)
  })
})
