/** How much the model may think and in which form it answers: `thinking`, `output_config` and the older `output_format`. */
import { object, optionalEnum, optionalInteger, optionalObject, refuse, word, type Fields } from '../check.ts'
import { asSchema, findSchemaFault } from '../json-schema.ts'
import type { OutputFormat, ReasoningEffort, Thinking } from '../request.ts'
import type { DecodeNotes } from './decode-notes.ts'

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const
/** The least that the API takes. */
const MIN_BUDGET = 1024
const MAX_BUDGET = 1_000_000_000

/** Decodes `thinking`. Its budget may be larger than `max_tokens` where thinking and tools take turns, so the two are not compared. */
export function decodeThinking(value: unknown, notes: DecodeNotes): Thinking | undefined {
  if (value === undefined || value === null) return undefined
  const fields = object(value, 'thinking')
  const type = word(fields['type'], 'thinking.type', ['enabled', 'adaptive', 'disabled', 'between_tools'] as const)
  if (type === 'between_tools') {
    throw refuse('unsupported_value', 'thinking.type', "The type 'between_tools' is not supported: use 'adaptive'.")
  }
  notes.hint('thinking')
  if (type === 'disabled') return { type }
  const display = optionalEnum({ 'thinking.display': fields['display'] }, 'thinking.display', [
    'summarized',
    'omitted',
  ] as const)
  const shown = display === undefined ? {} : { display }
  if (type === 'adaptive') return { type, ...shown }
  const at = 'thinking.budget_tokens'
  const budgetTokens = optionalInteger({ [at]: fields['budget_tokens'] }, at, MIN_BUDGET, MAX_BUDGET)
  if (budgetTokens === undefined) {
    throw refuse('missing_required_parameter', at, `Missing required parameter: '${at}', at least ${MIN_BUDGET}.`)
  }
  return { type, budgetTokens, ...shown }
}

export interface DecodedOutput {
  readonly reasoningEffort?: ReasoningEffort
  readonly format?: OutputFormat
}

/** Decodes `output_config` and `output_format`; the newer place counts. */
export function decodeOutput(fields: Fields, notes: DecodeNotes): DecodedOutput {
  const config = optionalObject(fields, 'output_config') ?? {}
  for (const name in config) if (name !== 'effort' && name !== 'format') notes.drop('output_config', name)
  const at = 'output_config.effort'
  const reasoningEffort = optionalEnum({ [at]: config['effort'] }, at, EFFORTS)
  const format =
    decodeFormat(config['format'], 'output_config.format') ?? decodeFormat(fields['output_format'], 'output_format')
  return {
    ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    ...(format === undefined ? {} : { format }),
  }
}

/** A schema has no name in this API, and answers always keep to it. */
function decodeFormat(value: unknown, at: string): OutputFormat | undefined {
  if (value === undefined || value === null) return undefined
  const format = object(value, at)
  const type = word(format['type'], `${at}.type`, ['json_schema'] as const)
  const schema = object(format['schema'], `${at}.schema`)
  const fault = findSchemaFault(schema)
  if (fault !== undefined)
    throw refuse('invalid_json_schema', `${at}.schema`, `Invalid schema for '${at}.schema': ${fault}.`)
  return { type, name: 'output', schema: asSchema(schema), strict: true }
}
