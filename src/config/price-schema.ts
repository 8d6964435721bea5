/** `models.NAME.price`: what a model costs, as written in the file. Dollars per million tokens. */
import { z } from 'zod'
import { midnightOf } from '../shared/day.ts'
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

const whole = {
  ...table,
  serviceTiers: z.record(z.string().min(1).max(128), z.strictObject(table).superRefine(checkTiers)).optional(),
}
const day = z
  .string()
  .refine((text) => midnightOf(text) !== undefined, 'write a day as in "2027-01-01"; it begins at midnight UTC')
const change = z.strictObject({ from: day, ...whole }).superRefine(checkTiers)

export const price: z.ZodObject = z
  .strictObject({ ...whole, changes: z.array(change).min(1).optional() })
  .superRefine(checkTiers)
  .superRefine(checkChanges)

export type RatesFile = Readonly<Record<'inputPerM' | 'outputPerM', number>> &
  Readonly<Partial<Record<RateName, number | undefined>>>
export interface RateTableFile extends RatesFile {
  readonly tiers?: readonly (RatesFile & { readonly aboveInputTokens: number })[] | undefined
}
export interface WholePriceFile extends RateTableFile {
  readonly serviceTiers?: Readonly<Record<string, RateTableFile>> | undefined
}
export interface PriceFile extends WholePriceFile {
  readonly changes?: readonly (WholePriceFile & { readonly from: string })[] | undefined
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

function checkChanges(value: unknown, context: z.core.$RefinementCtx): void {
  const { changes = [] } = value as PriceFile
  for (const [index, { from }] of changes.entries()) {
    const before = changes[index - 1]?.from
    if (before === undefined || from > before) continue
    const message = `changes go from early to late, and ${from} does not come after ${before}`
    context.addIssue({ code: 'custom', path: ['changes', index, 'from'], message })
  }
}
