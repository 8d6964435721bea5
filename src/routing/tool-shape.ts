/** The shape of the tools that a request offers, and how much they share with what was asked. */
import type { JsonObject, Tool } from '../protocol/request.ts'
import { SURFACE_NAMES, wasSeen } from './text-surface.ts'
import { FNV_PRIME, HASH_SEED } from './word-classes.ts'

/** Names of the counts in the order of `readTools`. */
export const TOOL_NAMES: readonly string[] = [
  'tools',
  'parameters',
  'required_parameters',
  'parameters_per_tool',
  'most_parameters',
  'text_parameters',
  'number_parameters',
  'list_parameters',
  'object_parameters',
  'choice_parameters',
  'parameter_types',
  'tool_description_characters',
  'schema_depth',
  'tool_name_words_asked',
  'tool_description_words_asked',
  'most_tool_name_words_asked',
  'optional_parameters',
  'numbers_per_parameter',
  'words_per_parameter',
  'required_per_tool',
]

/** Of the ask, which has been read into the same counts. */
const NUMBERS = SURFACE_NAMES.indexOf('numbers')
const WORDS = SURFACE_NAMES.indexOf('words')

/** Types of JSON Schema, and those of Python that schemas made from it have; numbered in the order of their names above. */
const TYPE_GROUPS: ReadonlyMap<unknown, number> = new Map([
  ['string', 0],
  ['integer', 1],
  ['number', 1],
  ['float', 1],
  ['array', 2],
  ['tuple', 2],
  ['object', 3],
  ['dict', 3],
])

/** Agents offer hundreds of tools; the first ones say what kind of agent it is. */
const SCAN_TOOLS = 64
const SCAN_PARAMETERS = 32
const SCAN_DESCRIPTION = 400

/** Writes one count per name into `into`, from `at`. To be called right after `readSurface` of the ask, whose words it compares with. */
export function readTools(tools: readonly Tool[], into: Float64Array, at: number): void {
  into.fill(0, at, at + TOOL_NAMES.length)
  if (tools.length === 0) return
  let parameters = 0
  let required = 0
  let most = 0
  const uses = [0, 0, 0, 0]
  let choices = 0
  let described = 0
  let depth = 0
  let nameShare = 0
  let textShare = 0
  let bestShare = 0
  let functions = 0
  const count = Math.min(tools.length, SCAN_TOOLS)
  for (let i = 0; i < count; i++) {
    const tool = tools[i] as Tool
    const share = sharedWords(tool.name)
    nameShare += share
    bestShare = Math.max(bestShare, share)
    const description = tool.description ?? ''
    described += description.length
    textShare += sharedWords(description)
    if (tool.kind !== 'function' || tool.parameters === undefined) continue
    functions++
    depth = Math.max(depth, depthOf(tool.parameters))
    const { properties, required: names } = tool.parameters
    if (Array.isArray(names)) required += names.length
    if (!isObject(properties)) continue
    let own = 0
    for (const name in properties) {
      own++
      if (own > SCAN_PARAMETERS) continue
      const parameter = properties[name]
      if (!isObject(parameter)) continue
      if (Array.isArray(parameter['enum'])) choices++
      const group = TYPE_GROUPS.get(parameter['type'])
      if (group !== undefined) uses[group] = (uses[group] as number) + 1
    }
    parameters += own
    most = Math.max(most, own)
  }
  const types = uses.filter((count) => count > 0).length + (choices > 0 ? 1 : 0)
  into[at] = tools.length
  into[at + 1] = parameters
  into[at + 2] = required
  into[at + 3] = functions === 0 ? 0 : parameters / functions
  into[at + 4] = most
  into[at + 5] = uses[0] as number
  into[at + 6] = uses[1] as number
  into[at + 7] = uses[2] as number
  into[at + 8] = uses[3] as number
  into[at + 9] = choices
  into[at + 10] = types
  into[at + 11] = described / count
  into[at + 12] = depth
  into[at + 13] = nameShare / count
  into[at + 14] = textShare / count
  into[at + 15] = bestShare
  into[at + 16] = Math.max(0, parameters - required)
  into[at + 17] = (into[NUMBERS] as number) / (1 + parameters)
  into[at + 18] = (into[WORDS] as number) / (1 + parameters)
  into[at + 19] = required / count
}

/** Share of a text's words that the ask has, too, 0..1; parted at everything but letters and digits. */
function sharedWords(text: string): number {
  let hash = HASH_SEED
  let length = 0
  let words = 0
  let shared = 0
  const end = Math.min(text.length, SCAN_DESCRIPTION)
  for (let i = 0; i <= end; i++) {
    const code = i === end ? 32 : text.charCodeAt(i)
    const lower = code | 32
    if ((lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)) {
      hash = Math.imul(hash ^ (code >= 65 ? lower : code), FNV_PRIME)
      length++
      continue
    }
    // Short words are in every sentence.
    if (length > 3) {
      words++
      if (wasSeen(hash)) shared++
    }
    hash = HASH_SEED
    length = 0
  }
  return words === 0 ? 0 : shared / words
}

const SCHEMA_NODES = 256
const SCHEMA_DEPTH = 8

/** Levels of objects and arrays in a schema's `properties` and `items`: 1 for a flat object. */
export function depthOf(schema: JsonObject): number {
  let nodes = 0
  const visit = (node: unknown, level: number): number => {
    if (!isObject(node) || level > SCHEMA_DEPTH || nodes++ > SCHEMA_NODES) return level - 1
    const { properties, items } = node
    let deepest = isObject(properties) || isObject(items) ? level : level - 1
    if (isObject(properties)) {
      for (const name in properties) deepest = Math.max(deepest, visit(properties[name], level + 1))
    }
    if (isObject(items)) deepest = Math.max(deepest, visit(items, level + 1))
    return deepest
  }
  return visit(schema, 1)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
