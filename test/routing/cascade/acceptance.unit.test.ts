import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAcceptanceHead } from '../../../src/routing/cascade/acceptance-file.ts'
import { expectedGain, type Opinions } from '../../../src/routing/cascade/acceptance.ts'
import { DisagreementRate } from '../../../src/routing/cascade/disagreement-rate.ts'
import { DEFAULT_MAX_GAIN } from '../../../src/config/cascade.ts'

const head = loadAcceptanceHead(new URL('../../../router-models/acceptance.json', import.meta.url))
const gain = (own: string | undefined, others: Opinions['others'], disagreement: number): number =>
  expectedGain({ own, others }, { answerChars: 700, disagreement }, head)

test('where small models mostly agree, agreement is believed and disagreement is not', () => {
  expect(gain('7', ['7'], 0.2)).toBeLessThan(DEFAULT_MAX_GAIN)
  expect(gain('7', ['8'], 0.2)).toBeGreaterThan(DEFAULT_MAX_GAIN)
  expect(gain('7', ['7', '7'], 0.2)).toBeLessThan(DEFAULT_MAX_GAIN)
  expect(gain('7', ['8', '8'], 0.2)).toBeGreaterThan(gain('7', ['7', '8'], 0.2))
})

test('where they mostly differ, one that agrees is not enough and two are', () => {
  expect(gain('7', ['7', '8'], 0.85)).toBeGreaterThan(DEFAULT_MAX_GAIN)
  expect(gain('7', ['7', '7'], 0.85)).toBeLessThan(DEFAULT_MAX_GAIN)
})

test('two answers without a result do not agree', () => {
  expect(gain(undefined, [undefined], 0.2)).toBeGreaterThan(DEFAULT_MAX_GAIN)
})

test('the rate of disagreement follows the traffic, also when that changes its kind', () => {
  const rate = new DisagreementRate()
  for (let i = 0; i < 500; i++) rate.note(i % 5 === 0)
  expect(rate.value).toBeCloseTo(0.2, 1)
  for (let i = 0; i < 1000; i++) rate.note(i % 5 !== 0)
  expect(rate.value).toBeCloseTo(0.8, 1)
})

test.each([
  ['no JSON', '{'],
  ['another version', '{"version":2,"one":[0,0,0,0,0,0],"two":[0,0,0,0,0,0,0,0,0,0,0,0]}'],
  ['too few weights', '{"version":1,"one":[0],"two":[0,0,0,0,0,0,0,0,0,0,0,0]}'],
])('weights that are %s are refused with the file and the fix', (_name, content) => {
  const file = join(mkdtempSync(join(tmpdir(), 'acceptance-')), 'acceptance.json')
  writeFileSync(file, content)
  expect(() => loadAcceptanceHead(pathToFileURL(file))).toThrow(/acceptance\.json .*Restore it from the release/u)
})
