import type { CustomTool, FunctionTool, OutputFormat, Tool, ToolChoice } from '../request.ts'
import {
  boundedArray,
  invalid,
  isObject,
  missing,
  object,
  refuse,
  string,
  word,
  wrongType,
  type Fields,
} from '../check.ts'
import { asSchema, findSchemaFault } from '../json-schema.ts'

const MAX_TOOLS = 128
const MAX_NAME = 64
const NAME = /^[a-zA-Z0-9_-]+$/

/** Decodes `tools`, at most 128. Null and absent mean none. */
export function decodeTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return []
  return boundedArray(value, 'tools', 0, MAX_TOOLS).map((raw, index) => {
    const at = `tools[${index}]`
    if (!isObject(raw)) throw wrongType(at, 'an object', raw)
    const type = word(raw['type'], `${at}.type`, ['function', 'custom'] as const)
    return type === 'function'
      ? functionTool(object(raw['function'], `${at}.function`), `${at}.function`)
      : customTool(object(raw['custom'], `${at}.custom`), `${at}.custom`)
  })
}

/** Decodes the deprecated `functions`. */
export function decodeFunctions(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return []
  return boundedArray(value, 'functions', 0, MAX_TOOLS).map((raw, index) => {
    if (!isObject(raw)) throw wrongType(`functions[${index}]`, 'an object', raw)
    return functionTool(raw, `functions[${index}]`)
  })
}

function functionTool(body: Fields, at: string): FunctionTool {
  const name = nameOf(body['name'], `${at}.name`)
  const { description, parameters, strict } = body as { description?: unknown; parameters?: unknown; strict?: unknown }
  if (strict !== undefined && strict !== null && typeof strict !== 'boolean')
    throw wrongType(`${at}.strict`, 'a boolean', strict)
  return {
    kind: 'function',
    name,
    ...(description === undefined || description === null
      ? {}
      : { description: string(description, `${at}.description`) }),
    ...(parameters === undefined || parameters === null
      ? {}
      : { parameters: parametersOf(parameters, `${at}.parameters`) }),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

function customTool(body: Fields, at: string): CustomTool {
  const name = nameOf(body['name'], `${at}.name`)
  const { description, format } = body as { description?: unknown; format?: unknown }
  return {
    kind: 'custom',
    name,
    ...(description === undefined || description === null
      ? {}
      : { description: string(description, `${at}.description`) }),
    ...(format === undefined || format === null ? {} : { format: asSchema(object(format, `${at}.format`)) }),
  }
}

function parametersOf(value: unknown, at: string): FunctionTool['parameters'] & object {
  const bad = (why: string): Error => refuse('invalid_function_parameters', at, `Invalid schema for '${at}': ${why}.`)
  if (!isObject(value)) throw wrongType(at, 'an object', value)
  const { type } = value as { type?: unknown }
  if (type !== undefined && type !== 'object') throw bad('its type must be "object"')
  const fault = findSchemaFault(value)
  if (fault !== undefined) throw bad(fault)
  return asSchema(value)
}

function nameOf(value: unknown, at: string): string {
  const name = string(value, at, MAX_NAME)
  if (name === '')
    throw refuse('empty_string', at, `Invalid '${at}': empty string. Expected a string with minimum length 1.`)
  if (!NAME.test(name)) throw invalid(at, 'expected letters, digits, underscores and dashes only.')
  return name
}

/** Decodes `tool_choice` against the tools that are offered. */
export function decodeToolChoice(value: unknown, tools: readonly Tool[]): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') {
    const type = word(value, 'tool_choice', ['none', 'auto', 'required'] as const)
    if (type === 'required' && tools.length === 0) throw invalid('tool_choice', "'required' needs 'tools'.")
    return { type }
  }
  if (!isObject(value)) throw wrongType('tool_choice', 'a string or an object', value)
  const type = word(value['type'], 'tool_choice.type', ['function', 'custom', 'allowed_tools'] as const)
  if (type === 'allowed_tools') return allowedTools(object(value['allowed_tools'], 'tool_choice.allowed_tools'), tools)
  const at = `tool_choice.${type}.name`
  const name = string(object(value[type], `tool_choice.${type}`)['name'], at)
  if (!tools.some((tool) => tool.name === name && tool.kind === type))
    throw invalid(at, "it names none of the 'tools'.")
  return { type: 'tool', kind: type, name }
}

function allowedTools(body: Fields, tools: readonly Tool[]): ToolChoice {
  const at = 'tool_choice.allowed_tools'
  const mode = word(body['mode'], `${at}.mode`, ['auto', 'required'] as const)
  const names = boundedArray(body['tools'], `${at}.tools`, 1, MAX_TOOLS).map((raw, index) => {
    const where = `${at}.tools[${index}]`
    const entry = object(raw, where)
    const name = string(object(entry[String(entry['type'])], `${where}.function`)['name'], `${where}.function.name`)
    if (!tools.some((tool) => tool.name === name))
      throw invalid(`${where}.function.name`, "it names none of the 'tools'.")
    return name
  })
  return { type: 'allowed', mode, names }
}

/** Decodes the deprecated `function_call` of the body. */
export function decodeFunctionCall(value: unknown, functions: readonly Tool[]): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return { type: word(value, 'function_call', ['none', 'auto'] as const) }
  if (!isObject(value)) throw wrongType('function_call', 'a string or an object', value)
  const name = string(value['name'], 'function_call.name')
  if (!functions.some((tool) => tool.name === name))
    throw invalid('function_call.name', "it names none of the 'functions'.")
  return { type: 'tool', kind: 'function', name }
}

/** Decodes `response_format`. */
export function decodeFormat(value: unknown): OutputFormat | undefined {
  if (value === undefined || value === null) return undefined
  const format = object(value, 'response_format')
  const type = word(format['type'], 'response_format.type', ['text', 'json_object', 'json_schema'] as const)
  if (type !== 'json_schema') return { type }
  const body = object(format['json_schema'], 'response_format.json_schema')
  const at = 'response_format.json_schema'
  const name = nameOf(body['name'] ?? undefined, `${at}.name`)
  const { description, schema, strict } = body as { description?: unknown; schema?: unknown; strict?: unknown }
  if (strict !== undefined && strict !== null && typeof strict !== 'boolean')
    throw wrongType(`${at}.strict`, 'a boolean', strict)
  if (schema !== undefined && schema !== null) {
    if (!isObject(schema)) throw wrongType(`${at}.schema`, 'an object', schema)
    const fault = findSchemaFault(schema)
    if (fault !== undefined)
      throw refuse('invalid_json_schema', `${at}.schema`, `Invalid schema for '${at}.schema': ${fault}.`)
  } else if (strict === true) throw missing(`${at}.schema`)
  return {
    type,
    name,
    ...(description === undefined || description === null
      ? {}
      : { description: string(description, `${at}.description`) }),
    ...(isObject(schema) ? { schema: asSchema(schema) } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}
