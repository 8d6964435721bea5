import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lookUpPrice, providerAt } from '../../src/budget/price-book.ts'

const TABLE = new URL('../../../shared/data/reference/model-prices-2026-08.csv', import.meta.url)
const AT = new Date('2026-08-21T12:00:00Z')

/** Where the pinned book says something else than the table of 21 August 2026, and why. Dollars per million: input, output. */
const DIFFERENT: Readonly<Record<string, readonly [book: readonly [number, number], reason: string]>> = {
  'openai/gpt-5.6-sol': [[4, 20], 'price cut in the newer book'],
  'openai/gpt-5.6-terra': [[2, 12], 'price cut in the newer book'],
  'openai/gpt-5.6-luna': [[0.2, 1.2], 'price cut in the newer book'],
  'google/gemini-3.6-flash': [[0.75, 3.75], 'price cut in the newer book'],
  'deepseek/deepseek-v4-pro': [[1.32, 3.96], 'the newer book has prices by time of day; the dearest counts'],
  'deepseek/deepseek-v4-flash': [[0.44, 1.32], 'the newer book has prices by time of day; the dearest counts'],
}

interface Row {
  readonly provider: string
  readonly model: string
  readonly validFrom: string
  readonly input: number
  readonly output: number
}

/** The row of each model that was in force on the day of the table. */
function table(): readonly Row[] {
  const inForce = new Map<string, Row>()
  for (const line of readFileSync(TABLE, 'utf8').trim().split('\n').slice(1)) {
    const [provider = '', model = '', , validFrom = '', input = '', , , output = ''] = line.split(',')
    if (validFrom > AT.toISOString().slice(0, 10)) continue
    inForce.set(`${provider}/${model}`, { provider, model, validFrom, input: Number(input), output: Number(output) })
  }
  return [...inForce.values()]
}

/** Names as callers of that provider write them: the table leaves Fireworks' path out. */
function fullName({ provider, model }: Row): string {
  return provider === 'fireworks' ? `accounts/fireworks/models/${model}` : model
}

const nano = (usd: number): number => Math.round(usd * 1e9)

describe.skipIf(!existsSync(TABLE))('the price table of August 2026 (skipped where ../shared/data is absent)', () => {
  const rows = existsSync(TABLE) ? table() : []

  test('has 71 models', () => {
    expect(rows).toHaveLength(71)
  })

  test.each(rows.map((row) => [`${row.provider}/${row.model}`, row] as const))(
    'the book agrees on %s, or the difference is known',
    (name, row) => {
      const price = lookUpPrice(row.provider, fullName(row), AT)
      // Embedding models have no price for output and are no chat models.
      if (row.output === 0) return expect(price).toBeUndefined()
      const [input, output] = DIFFERENT[name]?.[0] ?? [row.input, row.output]
      expect(price).toMatchObject({ inputPerM: nano(input), outputPerM: nano(output) })
      expect(price?.source).toContain('@pydantic/genai-prices')
    },
  )

  test('a known difference that is none any more is not kept', () => {
    const same = rows.filter((row) => {
      const known = DIFFERENT[`${row.provider}/${row.model}`]
      return known !== undefined && known[0][0] === row.input && known[0][1] === row.output
    })
    expect(same).toEqual([])
  })
})

test.each([
  ['openai', 'gpt-5.1', 1_250_000_000, 10_000_000_000, 125_000_000],
  ['openai', 'gpt-5-mini', 250_000_000, 2_000_000_000, 25_000_000],
])('%s %s costs whole nano-dollars per million tokens', (provider, model, inputPerM, outputPerM, cachedInputPerM) => {
  expect(lookUpPrice(provider, model, AT)).toMatchObject({ inputPerM, outputPerM, cachedInputPerM })
})

test.each([
  ['a model that does not exist', 'openai', 'no-such-model'],
  ['a name that only begins like a model', 'openai', 'gpt-5.1-no-such'],
  ['a provider that does not exist', 'nobody', 'gpt-5.1'],
  ['a model with a fee per request', 'perplexity', 'sonar'],
])('%s has no price', (_what, provider, model) => {
  expect(lookUpPrice(provider, model, AT)).toBeUndefined()
})

test('a price that changes on a date changes on that date', () => {
  const before = lookUpPrice('openai', 'o3', new Date('2025-06-09T00:00:00Z'))
  const after = lookUpPrice('openai', 'o3', new Date('2025-06-11T00:00:00Z'))
  expect([before?.inputPerM, after?.inputPerM]).toEqual([nano(10), nano(2)])
})

test('a price by time of day is the dearest, at whatever hour the service starts', () => {
  const at = (hour: string): unknown =>
    lookUpPrice('deepseek', 'deepseek-v4-pro', new Date(`2026-11-24T${hour}:30:00Z`))
  expect(at('12')).toMatchObject({ inputPerM: nano(1.32), outputPerM: nano(3.96), cachedInputPerM: nano(0.044) })
  expect(at('07')).toEqual(at('12'))
})

test.each([
  ['https://api.openai.com/v1', 'openai'],
  ['https://example.openai.azure.com/openai/v1', 'azure'],
  ['https://api.groq.com/openai/v1', 'groq'],
  ['https://proxy.example.com/v1', undefined],
  ['https://evil.example/api.openai.com/v1', undefined],
  ['http://127.0.0.1:8000/v1', undefined],
  ['', undefined],
])('the provider at %j is %s', (url, provider) => {
  expect(providerAt(url)).toBe(provider)
})
