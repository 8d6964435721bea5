/** What kind of request it is, by counts alone. A rule and no model: whoever reads an explanation can check it. */
import { COUNT_AT } from './features.ts'

/** `choice` = options to choose from; `formulas` = maths in signs; `sums` = a story with numbers; `chat` = everything else. */
export const KINDS = ['tools', 'choice', 'code', 'formulas', 'sums', 'chat'] as const
export type Kind = (typeof KINDS)[number]

const TOOLS = at('tools')
const OPTIONS = at('option_lines')
const FENCES = at('code_fences')
const CODE_SIGNS = at('code_signs')
const CODE_WORDS = at('words_code')
const WRITING = at('words_writing')
const FORMULAS = at('backslashes')
const NUMBERS = at('numbers')
const MATH_SIGNS = at('math_signs')
const DOLLARS = at('money_signs')
const QUANTITIES = at('words_quantity')

/** Counts as `featuresOf` gives them: ln(1 + x). */
export function kindOf(counts: Float64Array): Kind {
  const has = (index: number, least: number): boolean => (counts[index] as number) > Math.log1p(least) - 1e-9
  if (has(TOOLS, 1)) return 'tools'
  if (has(OPTIONS, 2)) return 'choice'
  if (has(FORMULAS, 2)) return 'formulas'
  if (has(FENCES, 1) || has(CODE_WORDS, 2) || has(CODE_SIGNS, 6) || (has(CODE_WORDS, 1) && has(WRITING, 1))) {
    return 'code'
  }
  if (has(FORMULAS, 1) || (has(DOLLARS, 2) && has(MATH_SIGNS, 1))) return 'formulas'
  if (has(NUMBERS, 2) || has(QUANTITIES, 3) || (has(NUMBERS, 1) && has(QUANTITIES, 1))) return 'sums'
  if (has(MATH_SIGNS, 2)) return 'formulas'
  return 'chat'
}

function at(name: string): number {
  const place = COUNT_AT[name]
  if (place === undefined) throw new Error(`There is no count ${name}.`)
  return place
}
