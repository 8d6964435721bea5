/** `models.NAME.price`: what a model costs, as written in the file. Dollars per million tokens. */
import { z } from 'zod'
import { INPUT_RATES, OUTPUT_RATES, type RateName } from '../shared/price.ts'

/** Dollars; kept below what nano-dollars can hold. */
export const usd: z.ZodNumber = z.number().min(0).max(9_000_000)

const RATE_NAMES = [...INPUT_RATES, ...OUTPUT_RATES] as const
const OPTIONAL = RATE_NAMES.filter((name) => name !== 'inputPerM' && name !== 'outputPerM')
const rates = {
  inputPerM: usd,
  outputPerM: usd,
  ...Object.fromEntries(OPTIONAL.map((name) => [name, usd.optional()])),
}
const tier = z.strictObject({ aboveInputTokens: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER), ...rates })
const table = { ...rates, tiers: z.array(tier).min(1).optional() }

export const price: z.ZodObject = z
  .strictObject({
    ...table,
    serviceTiers: z.record(z.string().min(1).max(128), z.strictObject(table).superRefine(checkTiers)).optional(),
  })
  .superRefine(checkTiers)

export type RatesFile = Readonly<Record<'inputPerM' | 'outputPerM', number>> &
  Readonly<Partial<Record<RateName, number | undefined>>>
export interface RateTableFile extends RatesFile {
  readonly tiers?: readonly (RatesFile & { readonly aboveInputTokens: number })[] | undefined
}
export interface PriceFile extends RateTableFile {
  readonly serviceTiers?: Readonly<Record<string, RateTableFile>> | undefined
}

/** A rate that only the base has would be the base's in a tier or that of plain input: either is a guess at somebody's money. */
function checkTiers(value: unknown, context: z.core.$RefinementCtx): void {
  const { tiers = [], ...base } = value as RateTableFile
  const problem = (path: PropertyKey[], message: string): void => context.addIssue({ code: 'custom', path, message })
  for (const [index, each] of tiers.entries()) {
    const before = tiers[index - 1]?.aboveInputTokens ?? 0
    if (each.aboveInputTokens <= before)
      problem(
        ['tiers', index, 'aboveInputTokens'],
        `tiers go from small to large, and ${each.aboveInputTokens} does not come after ${before}`,
      )
    for (const name of OPTIONAL)
      if (base[name] !== undefined && each[name] === undefined)
        problem(['tiers', index, name], 'it is missing; a tier needs each rate that the price outside of it has')
  }
}
