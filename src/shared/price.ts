/** What the tokens of a model cost: figures alone. Where they come from is `budget/prices/price-book.ts` or the configuration file. */
import type { NanoUsd } from './money.ts'

/** Kinds of prompt tokens that may have a rate of their own; the first is that of every token that no other covers. */
export const INPUT_RATES = [
  'inputPerM',
  'cachedInputPerM',
  'cacheWritePerM',
  'cacheWrite1hPerM',
  'audioInputPerM',
  'imageInputPerM',
] as const
/** The same for generated tokens. */
export const OUTPUT_RATES = ['outputPerM', 'reasoningPerM', 'audioOutputPerM', 'imageOutputPerM'] as const
export type RateName = (typeof INPUT_RATES)[number] | (typeof OUTPUT_RATES)[number]

/** Nano-dollars per million tokens of each kind. A ratio, so that prices like $0.0125 per million stay exact. */
export interface Rates {
  readonly inputPerM: NanoUsd
  readonly outputPerM: NanoUsd
  /** Read from the provider's prompt cache; absent = as input. */
  readonly cachedInputPerM?: NanoUsd
  /** Written to it, for five minutes or where there is one duration only; absent = as input. */
  readonly cacheWritePerM?: NanoUsd
  /** Written to it for an hour; absent = as `cacheWritePerM`. */
  readonly cacheWrite1hPerM?: NanoUsd
  /** Absent = as input. */
  readonly audioInputPerM?: NanoUsd
  /** Images and video; absent = as input. */
  readonly imageInputPerM?: NanoUsd
  /** Absent = as output. */
  readonly reasoningPerM?: NanoUsd
  /** Absent = as output. */
  readonly audioOutputPerM?: NanoUsd
  /** Absent = as output. */
  readonly imageOutputPerM?: NanoUsd
}

/** Rates of a request whose whole prompt, cached tokens included, has more tokens than this; they hold for all of its tokens. */
export interface ContextTier extends Rates {
  readonly aboveInputTokens: number
}

export interface RateTable extends Rates {
  /** By `aboveInputTokens`, ascending. */
  readonly tiers?: readonly ContextTier[]
}

/** Everything that an attempt can cost. A hold keeps the one that it was reserved with and is settled with it. */
export interface Price extends RateTable {
  /** Rates of the provider's other service tiers by name: `flex`, `priority`, `batch`. */
  readonly serviceTiers?: Readonly<Record<string, RateTable>>
  /** Where the figures come from: `file`, or the price book's package and entry. */
  readonly source: string
  /** Hash of the figures: equal exactly where the figures are. */
  readonly revision: string
}

/** Service tiers that are sold below the ordinary price, wherever there are any: without rates of their own they pay that one. */
const CHEAPER = ['flex', 'batch']

/**
 * Whether it is known what an answer of this service tier costs, or costs at most. Where it is not (`priority` without rates), the
 * answer is as good as unpriced: nobody knows how much dearer it is.
 * @param serviceTier What the request asks for, or the provider says it used; undefined = the ordinary one.
 */
export function isTierPriced(price: Price, serviceTier: string | undefined): boolean {
  return serviceTier === undefined || CHEAPER.includes(serviceTier) || tableOf(price, serviceTier) !== price
}

/**
 * The rates that one request pays.
 * @param inputTokens Its whole prompt.
 * @param serviceTier What the provider says it used; one without rates of its own pays the ordinary ones.
 */
export function ratesFor(price: Price, inputTokens: number, serviceTier?: string): Rates {
  const table = serviceTier === undefined ? price : tableOf(price, serviceTier)
  const { tiers } = table
  if (tiers !== undefined) {
    for (let i = tiers.length - 1; i >= 0; i--) {
      const tier = tiers[i]
      if (tier !== undefined && inputTokens > tier.aboveInputTokens) return tier
    }
  }
  return table
}

/** The name comes from the upstream and may be anything, also that of a property that every object has. */
function tableOf(price: Price, serviceTier: string): RateTable {
  const { serviceTiers } = price
  if (serviceTiers === undefined || !Object.hasOwn(serviceTiers, serviceTier)) return price
  return serviceTiers[serviceTier] ?? price
}
