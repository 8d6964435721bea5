import type { DecodeOptions } from '../dialect.ts'
import { invalid, refuse, type Fields } from '../openai-chat/check.ts'
import { ENGINE_FIELDS, isSteering, isWithinTwoEdits } from '../openai-chat/known-fields.ts'
import type { Json, JsonObject } from '../request.ts'
import { MOVED_FIELDS, RESPONSES_FIELDS } from './fields.ts'

const KNOWN: ReadonlySet<string> = new Set([...RESPONSES_FIELDS.map((row) => row.field), ...ENGINE_FIELDS])
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
export function checkNames(
  fields: Fields,
  options: DecodeOptions,
): { readonly dropped: string[]; readonly passed: JsonObject } {
  const dropped: string[] = []
  const passed: Record<string, Json> = {}
  for (const name of Object.keys(fields)) {
    if (KNOWN.has(name)) {
      const why = REFUSED.get(name)
      if (why !== undefined && !isUnset(fields[name])) throw refuse('unsupported_parameter', name, sentence(name, why))
      continue
    }
    if (MOVED_FIELDS.has(name)) {
      if (fields[name] === null) continue
      const other = MOVED_FIELDS.get(name)
      const hint =
        other === undefined ? 'the Responses API does not have it.' : `in the Responses API it is '${other}'.`
      throw refuse('unsupported_parameter', name, sentence(name, hint))
    }
    if (options.passFields?.has(name) === true) passed[name] = fields[name] as Json
    else judge(name, options, dropped)
  }
  return { dropped, passed }
}

function judge(name: string, options: DecodeOptions, dropped: string[]): void {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name
  const unknown = (more: string): Error => refuse('unknown_parameter', shown, `Unknown parameter: '${shown}'.${more}`)
  if (isSteering(name)) throw unknown(' It is not accepted from callers.')
  for (const known of KNOWN) if (isWithinTwoEdits(name, known)) throw unknown(` Did you mean '${known}'?`)
  if (options.unknownFields === 'refuse') throw unknown('')
  dropped.push(name)
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
