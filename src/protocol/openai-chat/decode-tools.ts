import type { CustomTool, OutputFormat, Tool, ToolChoice } from '../request.ts'
import { boundedArray, invalid, isObject, object, string, word, wrongType, type Fields } from '../check.ts'
import { descriptionOf, functionTool, MAX_TOOLS, nameOf, schemaFormat } from '../function-tool.ts'
import { asSchema } from '../json-schema.ts'

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

function customTool(body: Fields, at: string): CustomTool {
  const { format } = body as { format?: unknown }
  return {
    kind: 'custom',
    name: nameOf(body['name'], `${at}.name`),
    ...descriptionOf(body, at),
    ...(format === undefined || format === null ? {} : { format: asSchema(object(format, `${at}.format`)) }),
  }
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
  const at = 'response_format.json_schema'
  return schemaFormat(object(format['json_schema'], at), at, false)
}
