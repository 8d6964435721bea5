import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { namesInBook, providerAt, providerOf, scheduleOf } from '../../../src/budget/prices/price-book.ts'
import { priceAt } from '../../../src/budget/prices/price-schedule.ts'
import type { Price } from '../../../src/shared/price.ts'

const TABLE = new URL('../../../../shared/data/reference/model-prices-2026-08.csv', import.meta.url)
const AT = new Date('2026-08-21T12:00:00Z')

const lookUpPrice = (provider: string, model: string, at: Date): Price | undefined =>
  priceAt(scheduleOf(provider, model), at.getTime())

/** Rates of the table, in its order: dollars per million. */
const RATES = ['inputPerM', 'cachedInputPerM', 'cacheWritePerM', 'outputPerM'] as const
type Figures = readonly (number | undefined)[]

/** Where the pinned book says something else than the table of 21 August 2026, and why. Rates, then the tier and its rates. */
const DIFFERENT: Readonly<Record<string, readonly [base: Figures, long: Figures, reason: string]>> = {
  'openai/gpt-5.6-sol': [[4, 0.4, 5, 20], [272_000, 8, 0.8, 10, 30], 'price cut in the newer book'],
  'openai/gpt-5.6-terra': [[2, 0.2, 2.5, 12], [272_000, 4, 0.4, 5, 18], 'price cut in the newer book'],
  'openai/gpt-5.6-luna': [[0.2, 0.02, 0.25, 1.2], [272_000, 0.4, 0.04, 0.5, 1.8], 'price cut in the newer book'],
  'openai/gpt-5.5': [[5, 0.5, undefined, 30], [272_000, 10, 1, undefined, 45], 'the newer book knows its long context'],
  'google/gemini-3.6-flash': [[0.75, 0.075, undefined, 3.75], [], 'half price until 2027 in the newer book'],
  'deepseek/deepseek-v4-pro': [
    [1.32, 0.044, undefined, 3.96],
    [],
    'by time of day in the newer book; the dearest hour counts',
  ],
  'deepseek/deepseek-v4-flash': [
    [0.44, 0.014, undefined, 1.32],
    [],
    'by time of day in the newer book; the dearest hour counts',
  ],
  'x-ai/grok-4.5': [
    [2, 0.3, undefined, 6],
    [200_000, 4, 0.6, undefined, 12],
    'cheaper cache and a long context in the newer book',
  ],
  'x-ai/grok-4.3': [
    [1.25, 0.2, undefined, 2.5],
    [200_000, 2.5, 0.4, undefined, 5],
    'the newer book knows its long context',
  ],
  'fireworks/gpt-oss-20b': [[0.07, 0.035, undefined, 0.3], [], 'cheaper cache in the newer book'],
  'fireworks/gpt-oss-120b': [[0.15, 0.014, undefined, 0.6], [], 'cheaper cache in the newer book'],
}

interface Row {
  readonly provider: string
  readonly model: string
  readonly base: Figures
  /** Bound of the long context and the rates above it; empty where there is one tier. */
  readonly long: Figures
}

/** The row of each model that was in force on the day of the table. */
function table(): readonly Row[] {
  const inForce = new Map<string, Row>()
  for (const line of readFileSync(TABLE, 'utf8').trim().split('\n').slice(1)) {
    const [provider = '', model = '', , validFrom = '', ...figures] = line.split(',')
    if (validFrom > AT.toISOString().slice(0, 10)) continue
    const numbers = figures.map((text) => (text === '' ? undefined : Number(text)))
    const long = numbers.slice(4)
    inForce.set(`${provider}/${model}`, {
      provider,
      model,
      base: numbers.slice(0, 4),
      long: long[0] === undefined ? [] : long,
    })
  }
  return [...inForce.values()]
}

/** Names as callers of that provider write them: the table leaves Fireworks' path out. */
function fullName({ provider, model }: Row): string {
  return provider === 'fireworks' ? `accounts/fireworks/models/${model}` : model
}

const nano = (usd: number): number => Math.round(usd * 1e9)
const usd = (perM: number | undefined): number | undefined => (perM === undefined ? undefined : perM / 1e9)

describe.skipIf(!existsSync(TABLE))('the price table of August 2026 (skipped where ../shared/data is absent)', () => {
  const rows = existsSync(TABLE) ? table() : []

  test('has 71 models', () => {
    expect(rows).toHaveLength(71)
  })

  test.each(rows.map((row) => [`${row.provider}/${row.model}`, row] as const))(
    'the book agrees on every rate of %s, or the difference is known',
    (name, row) => {
      const price = lookUpPrice(row.provider, fullName(row), AT)
      const tier = price?.tiers?.[0]
      const [given, long] = DIFFERENT[name] ?? [row.base, row.long]
      // Embedding models have no output, and so none that costs anything.
      const base = given.map((rate, at) => (at === 3 ? (rate ?? 0) : rate))
      expect(RATES.map((rate) => usd(price?.[rate]))).toEqual(base)
      // "From 272,000 tokens" and "above 271,999" are the same.
      const above = tier === undefined ? [] : [Math.ceil(tier.aboveInputTokens / 1000) * 1000]
      expect([...above, ...(tier === undefined ? [] : RATES.map((rate) => usd(tier[rate])))]).toEqual(long)
      expect(price?.tiers?.length ?? 0).toBeLessThan(2)
      expect(price?.source).toContain('@pydantic/genai-prices')
    },
  )

  test('a known difference that is none any more is not kept', () => {
    const same = rows.filter((row) => {
      const known = DIFFERENT[`${row.provider}/${row.model}`]
      return known !== undefined && JSON.stringify(known.slice(0, 2)) === JSON.stringify([row.base, row.long])
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
  const at = (hour: string): Price | undefined =>
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

test.each([
  ['gpt-5.1', 'openai'],
  ['claude-sonnet-5', 'anthropic'],
  ['no-such-model', undefined],
])('a bare %s is taken for a model of %s', (model, provider) => {
  expect(providerOf(model)).toBe(provider)
})

test('audio, images, reasoning and caches have the rates of the book', () => {
  expect(lookUpPrice('openai', 'gpt-audio', AT)).toMatchObject({
    audioInputPerM: nano(32),
    audioOutputPerM: nano(64),
    outputPerM: nano(10),
  })
  expect(lookUpPrice('google', 'gemini-2.5-flash-image', AT)).toMatchObject({ imageOutputPerM: nano(30) })
  expect(lookUpPrice('openrouter', 'perplexity/sonar-deep-research', AT)).toMatchObject({ reasoningPerM: nano(3) })
  expect(lookUpPrice('anthropic', 'claude-sonnet-4-5', AT)).toMatchObject({
    cachedInputPerM: nano(0.3),
    cacheWritePerM: nano(3.75),
    cacheWrite1hPerM: nano(6),
    tiers: [{ aboveInputTokens: 200_000, inputPerM: nano(6), cacheWrite1hPerM: nano(12), outputPerM: nano(22.5) }],
  })
})

describe('the whole book', async () => {
  const names = await namesInBook()

  test('is there', () => {
    expect(names.length).toBeGreaterThan(1000)
    expect(names).toContain('openai/gpt-5.1')
  })

  test('has rates that are whole and tiers that ascend, for every model and date', () => {
    const first = (name: string): readonly [string, string] => {
      const at = name.indexOf('/')
      return [name.slice(0, at), name.slice(at + 1)]
    }
    let priced = 0
    for (const name of names) {
      for (const { price } of scheduleOf(...first(name))) {
        if (price === undefined) continue
        priced += 1
        const tables = [price, ...(price.tiers ?? [])]
        const figures = tables.flatMap((table) => Object.values(table).filter((value) => typeof value === 'number'))
        expect(
          figures.every((figure) => Number.isSafeInteger(figure) && figure >= 0),
          name,
        ).toBe(true)
        const starts = (price.tiers ?? []).map(({ aboveInputTokens }) => aboveInputTokens)
        expect(starts, name).toEqual(starts.toSorted((a, b) => a - b))
      }
    }
    expect(priced).toBeGreaterThan(1000)
  })
})

test('of a model without a rate of output only one that embeds has a price', () => {
  expect(lookUpPrice('openai', 'text-embedding-3-large', AT)).toMatchObject({ inputPerM: nano(0.13), outputPerM: 0 })
  expect(lookUpPrice('azure', 'davinci', AT)).toBeUndefined()
})
