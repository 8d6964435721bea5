import {
  boundedArray,
  invalid,
  isObject,
  missing,
  object,
  optionalBoolean,
  refuse,
  string,
  word,
  wrongType,
  type Fields,
} from '../check.ts'
import { asSchema, findSchemaFault } from '../json-schema.ts'
import type { FunctionTool, ToolChoice } from '../request.ts'
import { cacheOf } from './decode-cache.ts'
import type { DecodeNotes } from './decode-notes.ts'

/** More than any agent offers; hosted providers have limits of their own and say so. */
const MAX_TOOLS = 1024
const MAX_NAME = 128
const NAME = /^[a-zA-Z0-9_-]+$/
const KNOWN: ReadonlySet<string> = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control'])

/**
 * Decodes `tools`. What only tunes how the provider loads or streams a tool (`defer_loading`, `eager_input_streaming`,
 * `input_examples`, and whatever is new) is left out and named.
 */
export function decodeTools(value: unknown, notes: DecodeNotes): readonly FunctionTool[] {
  if (value === undefined || value === null) return []
  const names = new Set<string>()
  return boundedArray(value, 'tools', 0, MAX_TOOLS).map((raw, index) => {
    const at = `tools[${index}]`
    if (!isObject(raw)) throw wrongType(at, 'an object', raw)
    const tool = decodeTool(raw, at, notes)
    if (names.has(tool.name)) throw invalid(`${at}.name`, 'another tool has the same name.')
    names.add(tool.name)
    return tool
  })
}

function decodeTool(raw: Fields, at: string, notes: DecodeNotes): FunctionTool {
  const { type } = raw as { type?: unknown }
  if (type !== undefined && type !== null && string(type, `${at}.type`) !== 'custom') throw ofProvider(String(type), at)
  for (const name in raw) if (!KNOWN.has(name) && raw[name] !== null) notes.drop('tools', name)
  const name = string(raw['name'], `${at}.name`, MAX_NAME)
  if (!NAME.test(name)) throw invalid(`${at}.name`, 'expected 1 to 128 letters, digits, underscores and dashes.')
  const { description } = raw as { description?: unknown }
  const strict = optionalBoolean(raw, 'strict', `${at}.strict`)
  return {
    kind: 'function',
    name,
    ...(description === undefined || description === null
      ? {}
      : { description: string(description, `${at}.description`) }),
    parameters: schemaOf(raw['input_schema'], `${at}.input_schema`),
    ...(strict === undefined ? {} : { strict }),
    ...cacheOf(raw, at, notes),
  }
}

function schemaOf(value: unknown, at: string): FunctionTool['parameters'] & object {
  const bad = (why: string): Error => refuse('invalid_function_parameters', at, `Invalid schema for '${at}': ${why}.`)
  const schema = object(value, at)
  if (schema['type'] !== undefined && schema['type'] !== 'object') throw bad('its type must be "object"')
  const fault = findSchemaFault(schema)
  if (fault !== undefined) throw bad(fault)
  return asSchema(schema)
}

function ofProvider(type: string, at: string): Error {
  return refuse(
    'unsupported_value',
    `${at}.type`,
    `Tools of type ${JSON.stringify(type.slice(0, 64))} run or are known at one provider only: declare an ordinary tool with a name and an 'input_schema' and run it yourself.`,
  )
}

export interface DecodedToolChoice {
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
}

/** Decodes `tool_choice` against the tools that are offered. */
export function decodeToolChoice(value: unknown, tools: readonly FunctionTool[]): DecodedToolChoice {
  if (value === undefined || value === null) return {}
  const choice = object(value, 'tool_choice')
  const type = word(choice['type'], 'tool_choice.type', ['auto', 'any', 'tool', 'none'] as const)
  const single = optionalBoolean(choice, 'disable_parallel_tool_use', 'tool_choice.disable_parallel_tool_use')
  const parallel = single === undefined ? {} : { parallelToolCalls: !single }
  switch (type) {
    case 'auto':
    case 'none':
      return { toolChoice: { type }, ...parallel }
    case 'any':
      if (tools.length === 0) throw missing('tools')
      return { toolChoice: { type: 'required' }, ...parallel }
    case 'tool': {
      const name = string(choice['name'], 'tool_choice.name')
      if (!tools.some((tool) => tool.name === name)) throw invalid('tool_choice.name', "it names none of the 'tools'.")
      return { toolChoice: { type: 'tool', kind: 'function', name }, ...parallel }
    }
    default:
      return type satisfies never
  }
}
