/** Prices of configured models: from the file, from the book by its date, or none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'

function load(text: string, now: () => number = () => Date.parse('2026-11-25')): Promise<Config> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-price-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), text)
  return loadConfig({}, { env: { KEY: 'sk-fake-key' }, cwd, enginePorts: [], now })
}

const PLACES = `upstreams:
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
  hosted: { kind: openai, apiKey: env:KEY }
  google: { kind: openai, apiKey: env:KEY, baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai" }
`
const priced = (price: string): string => `${PLACES}models:
  m: { upstream: gpu, model: m, price: ${price} }
`

test('every rate of the file is taken, and what it leaves out is left out', async () => {
  const text = priced(
    '{ inputPerM: 1, outputPerM: 2, cachedInputPerM: 0.1, cacheWritePerM: 1.25, cacheWrite1hPerM: 2.5, audioInputPerM: 3, tiers: [{ aboveInputTokens: 1000, inputPerM: 2, outputPerM: 3, cachedInputPerM: 0.2, cacheWritePerM: 2.5, cacheWrite1hPerM: 5, audioInputPerM: 6 }], serviceTiers: { flex: { inputPerM: 0.5, outputPerM: 1 } } }',
  )
  expect((await load(text)).targets.get('m')?.price).toEqual({
    inputPerM: 1e9,
    outputPerM: 2e9,
    cachedInputPerM: 1e8,
    cacheWritePerM: 1.25e9,
    cacheWrite1hPerM: 2.5e9,
    audioInputPerM: 3e9,
    tiers: [
      {
        aboveInputTokens: 1000,
        inputPerM: 2e9,
        outputPerM: 3e9,
        cachedInputPerM: 2e8,
        cacheWritePerM: 2.5e9,
        cacheWrite1hPerM: 5e9,
        audioInputPerM: 6e9,
      },
    ],
    serviceTiers: { flex: { inputPerM: 5e8, outputPerM: 1e9 } },
    source: 'file',
    revision: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
  })
})

test('the file wins over the book', async () => {
  const config = await load(
    `${PLACES}models: { m: { upstream: hosted, model: gpt-5.1, price: { inputPerM: 7, outputPerM: 8 } } }\n`,
  )
  expect(config.targets.get('m')?.price).toMatchObject({ inputPerM: 7e9, source: 'file' })
})

test('a service that runs into the next year has the price of the day', async () => {
  let now = Date.parse('2026-12-31T23:59:59.999Z')
  const config = await load(`${PLACES}models: { m: { upstream: google, model: gemini-3.6-flash } }\n`, () => now)
  const target = config.targets.get('m')
  const before = target?.price
  expect(before).toMatchObject({ inputPerM: 7.5e8, outputPerM: 3.75e9 })
  expect(target?.price).toBe(before)
  now += 1
  expect(target?.price).toMatchObject({ inputPerM: 1.5e9, outputPerM: 7.5e9 })
  expect(target?.price?.revision).not.toBe(before?.revision)
})

test('a change in the file is in force from its day, and the last one stays', async () => {
  let now = Date.parse('2026-12-31T23:59:59.999Z')
  const text = priced(
    '{ inputPerM: 1, outputPerM: 1, changes: [{ from: 2027-01-01, inputPerM: 2, outputPerM: 2 }, { from: "2027-02-01", inputPerM: 3, outputPerM: 3 }] }',
  )
  const target = (await load(text, () => now)).targets.get('m')
  expect(target?.price?.inputPerM).toBe(1e9)
  now += 1
  expect(target?.price?.inputPerM).toBe(2e9)
  now = Date.parse('2040-01-01')
  expect(target?.price?.inputPerM).toBe(3e9)
})

describe('models without a price', () => {
  test('are named in one remark', async () => {
    const { remarks } = await load(
      `${PLACES}models: { a: { upstream: gpu, model: a }, b: { upstream: gpu, model: b }, c: { upstream: hosted, model: gpt-5.1 } }\n`,
    )
    expect(remarks).toContain(
      'no price: a, b. What they cost is not shown, and tasks with a budget may not use them; add models.NAME.price',
    )
  })

  test('are not remarked on where there are none', async () => {
    const { remarks } = await load(priced('{ inputPerM: 0, outputPerM: 0 }'))
    expect(remarks.filter((remark) => remark.startsWith('no price'))).toEqual([])
  })
})

test.each([
  [
    'a tier without a rate that the price has',
    '{ inputPerM: 1, outputPerM: 2, cachedInputPerM: 0.1, tiers: [{ aboveInputTokens: 9, inputPerM: 2, outputPerM: 3 }] }',
    'switchyard.yaml:6: models.m.price.tiers.0.cachedInputPerM: it is missing; a tier needs each rate that the price outside of it has.',
  ],
  [
    'the same in a service tier',
    '{ inputPerM: 1, outputPerM: 2, serviceTiers: { flex: { inputPerM: 1, outputPerM: 2, reasoningPerM: 3, tiers: [{ aboveInputTokens: 9, inputPerM: 2, outputPerM: 3 }] } } }',
    'models.m.price.serviceTiers.flex.tiers.0.reasoningPerM: it is missing',
  ],
  [
    'tiers that go down',
    '{ inputPerM: 1, outputPerM: 2, tiers: [{ aboveInputTokens: 9, inputPerM: 2, outputPerM: 3 }, { aboveInputTokens: 9, inputPerM: 2, outputPerM: 3 }] }',
    'models.m.price.tiers.1.aboveInputTokens: tiers go from small to large, and 9 does not come after 9.',
  ],
  [
    'a misspelt rate',
    '{ inputPerM: 1, outputPerM: 2, cachedInputPerm: 1 }',
    'models.m.price.cachedInputPerm: there is no such setting. Did you mean "cachedInputPerM"?',
  ],
  [
    'a misspelt rate of a tier',
    '{ inputPerM: 1, outputPerM: 2, tiers: [{ above: 9, inputPerM: 2, outputPerM: 3 }] }',
    'models.m.price.tiers.0.aboveInputTokens: it is missing; it must be a number.',
  ],
  ['a price without output', '{ inputPerM: 1 }', 'models.m.price.outputPerM: it is missing; it must be a number.'],
  [
    'a price below zero',
    '{ inputPerM: -1, outputPerM: 2 }',
    'models.m.price.inputPerM: it is too small; the least is 0.',
  ],
  [
    'a change on a day that is none',
    '{ inputPerM: 1, outputPerM: 2, changes: [{ from: 2027-02-30, inputPerM: 1, outputPerM: 2 }] }',
    'models.m.price.changes.0.from: write a day as in "2027-01-01"; it begins at midnight UTC.',
  ],
  [
    'changes that go back',
    '{ inputPerM: 1, outputPerM: 2, changes: [{ from: 2027-01-02, inputPerM: 1, outputPerM: 2 }, { from: 2027-01-01, inputPerM: 1, outputPerM: 2 }] }',
    'models.m.price.changes.1.from: changes go from early to late, and 2027-01-01 does not come after 2027-01-02.',
  ],
  ['no tiers', '{ inputPerM: 1, outputPerM: 2, tiers: [] }', 'models.m.price.tiers: it is too small; the least is 1.'],
])('%s is refused', async (_what, price, sentence) => {
  await expect(load(priced(price))).rejects.toThrow(sentence)
})
