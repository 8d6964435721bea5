/**
 * What the shape of a request says about its intent, as log-odds added to what its words say. Set by hand: the examples are sentences and have
 * no shape. A rule and no model, so that whoever reads an explanation can check it.
 */
import { COUNT_AT } from '../features.ts'
import { BUILT_IN_INTENTS, type BuiltInIntent } from '../../shared/intent-names.ts'

interface Sign {
  /** Name of a count and the least of it (plain, not its logarithm). */
  readonly count: string
  readonly least: number
  readonly adds: Readonly<Partial<Record<BuiltInIntent, number>>>
}

const SIGNS: readonly Sign[] = [
  { count: 'tools', least: 1, adds: { tool_use: 3, code_edit: 1, creative_writing: -1, reasoning: -1 } },
  { count: 'most_tool_name_words_asked', least: 0.3, adds: { tool_use: 1.5 } },
  { count: 'tool_results_since_ask', least: 1, adds: { tool_use: 0.5, chat: -2 } },
  { count: 'output_schema_depth', least: 1, adds: { extraction: 2, classify: 0.5, chat: -2, creative_writing: -1 } },
  { count: 'code_fences', least: 1, adds: { code_edit: 1, code_question: 1, chat: -2 } },
  { count: 'option_lines', least: 2, adds: { reasoning: 3, chat: -2 } },
  {
    count: 'characters',
    least: 6000,
    adds: { long_context_question: 1.5, summarise: 1.5, extraction: 0.5, chat: -3, factual_question: -2 },
  },
]

const PLACES = SIGNS.map(({ count }) => placeOf(count))
const LEAST = SIGNS.map(({ least }) => Math.log1p(least) - 1e-9)
const ADDS = SIGNS.map(({ adds }) => Float64Array.from(BUILT_IN_INTENTS, (name) => adds[name] ?? 0))

/** Adds to the value of each built-in intent what these counts say. */
export function addStructure(counts: Float64Array, into: Float64Array): void {
  for (let sign = 0; sign < PLACES.length; sign++) {
    if ((counts[PLACES[sign] as number] as number) < (LEAST[sign] as number)) continue
    const adds = ADDS[sign] as Float64Array
    for (let each = 0; each < adds.length; each++) into[each] = (into[each] as number) + (adds[each] as number)
  }
}

function placeOf(name: string): number {
  const place = COUNT_AT[name]
  if (place === undefined) throw new Error(`There is no count ${name}.`)
  return place
}
