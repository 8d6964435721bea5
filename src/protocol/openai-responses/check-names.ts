import type { DecodeOptions } from '../dialect.ts'
import { invalid, refuse, type Fields } from '../check.ts'
import { checkNames } from '../check-names.ts'
import { ENGINE_FIELDS } from '../openai-chat/known-fields.ts'
import type { JsonObject } from '../request.ts'
import { MOVED_FIELDS, RESPONSES_FIELDS } from './fields.ts'

const KNOWN: ReadonlySet<string> = new Set([
  ...RESPONSES_FIELDS.map((row) => row.field),
  ...ENGINE_FIELDS,
  ...MOVED_FIELDS.keys(),
])
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['access_programs', 'access programs are for callers of OpenAI itself.'],
  ['background', 'responses are not made in the background here. Leave it out, or stream.'],
  ['context_management', 'conversations are not compacted here. Leave it out, and shorten the input yourself.'],
  ['conversation', "conversations are not kept as objects here. Use 'previous_response_id', or send the items again."],
  ['prompt', "prompts are not kept here. Send their text as 'instructions' and 'input'."],
])

/**
 * Judges the names of a body: unknown ones that are left out, and those that the operator lets through. Throws for steering, misspelt and
 * refused ones, for fields of chat completions, and for all unknown ones under `refuse`.
 */
export function checkResponsesNames(
  fields: Fields,
  options: DecodeOptions,
): { readonly dropped: readonly string[]; readonly passed: JsonObject } {
  for (const name of Object.keys(fields)) {
    const why = REFUSED.get(name)
    if (why !== undefined && !isUnset(fields[name])) throw refuse('unsupported_parameter', name, sentence(name, why))
    if (!MOVED_FIELDS.has(name) || fields[name] === null) continue
    const other = MOVED_FIELDS.get(name)
    const hint = other === undefined ? 'the Responses API does not have it.' : `in the Responses API it is '${other}'.`
    throw refuse('unsupported_parameter', name, sentence(name, hint))
  }
  return checkNames(fields, KNOWN, options)
}

function isUnset(value: unknown): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0)
}

function sentence(name: string, why: string): string {
  return `Unsupported parameter: '${name}': ${why}`
}

const INCLUDABLE = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
] as const

/** Checks `include`; true where log-probabilities are wanted. The other words are about hosted tools, or about what is always shown. */
export function wantsLogprobs(list: readonly unknown[]): boolean {
  for (const [index, each] of list.entries()) {
    if (!(INCLUDABLE as readonly unknown[]).includes(each))
      throw invalid(`include[${index}]`, `expected one of ${INCLUDABLE.map((word) => `'${word}'`).join(', ')}.`)
  }
  return list.includes('message.output_text.logprobs')
}
