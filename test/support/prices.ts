/** Prices and usages for property tests: every figure, kind and tier that a provider might have. */
import fc from 'fast-check'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import type { Usage } from '../../src/protocol/answer.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import type { ContextTier, Price, Rates, RateTable } from '../../src/shared/price.ts'

/** Up to $1,000 per million tokens, whole nano-dollars per token or not. */
const perM = fc.integer({ min: 0, max: 1_000_000_000_000 }).map(toNanoUsd)

export const rates: fc.Arbitrary<Rates> = fc.record(
  {
    inputPerM: perM,
    outputPerM: perM,
    cachedInputPerM: perM,
    cacheWritePerM: perM,
    cacheWrite1hPerM: perM,
    audioInputPerM: perM,
    imageInputPerM: perM,
    reasoningPerM: perM,
    audioOutputPerM: perM,
    imageOutputPerM: perM,
  },
  { requiredKeys: ['inputPerM', 'outputPerM'] },
)

const table: fc.Arbitrary<RateTable> = fc
  .tuple(
    rates,
    fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 400_000 }), rates), { maxLength: 3, selector: ([at]) => at }),
  )
  .map(([base, tiers]) => ({
    ...base,
    tiers: tiers
      .toSorted(([a], [b]) => a - b)
      .map(([aboveInputTokens, rates]): ContextTier => ({ aboveInputTokens, ...rates })),
  }))

export const SERVICE_TIERS = ['flex', 'priority', 'batch'] as const

export const prices: fc.Arbitrary<Price> = fc
  .tuple(table, fc.dictionary(fc.constantFrom(...SERVICE_TIERS), table, { noNullPrototype: true }))
  .map(([base, serviceTiers]) => makePrice({ ...base, serviceTiers }, 'test'))

export const KINDS = [
  'plain',
  'cached',
  'written',
  'written1h',
  'audio',
  'image',
  'text',
  'reasoning',
  'audioOut',
  'imageOut',
] as const
/** What a request really consisted of: every token is of one kind. */
export type Parts = Readonly<Record<(typeof KINDS)[number], number>>

const tokens = fc.nat({ max: 300_000 })
export const parts: fc.Arbitrary<Parts> = fc
  .tuple(...KINDS.map(() => tokens))
  .map((counts) => Object.fromEntries(KINDS.map((kind, i) => [kind, counts[i]])) as unknown as Parts)

/** The same as a provider's usage, adapted: wholes with parts of them. */
export function usageOf(p: Parts, serviceTier?: string): Usage {
  return {
    input: p.plain + p.cached + p.written + p.written1h + p.audio + p.image,
    cachedInput: p.cached,
    cacheWrite: p.written + p.written1h,
    cacheWrite1h: p.written1h,
    audioInput: p.audio,
    imageInput: p.image,
    output: p.text + p.reasoning + p.audioOut + p.imageOut,
    reasoning: p.reasoning,
    audioOutput: p.audioOut,
    imageOutput: p.imageOut,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    estimated: false,
  }
}

/** Any usage, also one whose parts are larger than the whole. */
export const usages: fc.Arbitrary<Usage> = fc.record(
  {
    input: tokens,
    cachedInput: tokens,
    cacheWrite: tokens,
    cacheWrite1h: tokens,
    audioInput: tokens,
    imageInput: tokens,
    output: tokens,
    reasoning: tokens,
    audioOutput: tokens,
    imageOutput: tokens,
    serviceTier: fc.constantFrom(...SERVICE_TIERS, 'unheard-of'),
    estimated: fc.boolean(),
  },
  {
    requiredKeys: [
      'input',
      'cachedInput',
      'cacheWrite',
      'output',
      'reasoning',
      'audioInput',
      'audioOutput',
      'estimated',
    ],
  },
)
