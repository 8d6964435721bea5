import { boundedArray, invalid, isObject, object, refuse, string, word, wrongType, type Fields } from '../check.ts'
import { descriptionOf, functionTool, MAX_TOOLS, nameOf, schemaFormat } from '../function-tool.ts'
import type { CustomTool, OutputFormat, Tool, ToolChoice } from '../request.ts'

const KINDS = ['function', 'custom'] as const

/** Decodes `tools` (flat form, at most 128). Null and absent mean none; hosted tools are refused by name. */
export function decodeTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return []
  return boundedArray(value, 'tools', 0, MAX_TOOLS).map((raw, index) => {
    const at = `tools[${index}]`
    if (!isObject(raw)) throw wrongType(at, 'an object', raw)
    const type = string(raw['type'], `${at}.type`)
    if (!(KINDS as readonly string[]).includes(type)) throw hosted(`${at}.type`, type)
    return type === 'function' ? functionTool(raw, at) : customTool(raw, at)
  })
}

function hosted(param: string, type: string): Error {
  return refuse(
    'unsupported_value',
    param,
    `Tools of type '${type.slice(0, 64)}' run at OpenAI and are not offered here. Give the model a 'function' or 'custom' tool that your side runs.`,
  )
}

/** A grammar stands beside its type here and in an object of its own in chat completions, which is the internal form. */
function customTool(raw: Fields, at: string): CustomTool {
  const name = nameOf(raw['name'], `${at}.name`)
  if ((raw['format'] ?? null) === null) return { kind: 'custom', name, ...descriptionOf(raw, at) }
  const format = object(raw['format'], `${at}.format`)
  const type = word(format['type'], `${at}.format.type`, ['text', 'grammar'] as const)
  if (type === 'text') return { kind: 'custom', name, ...descriptionOf(raw, at), format: { type } }
  const grammar = {
    definition: string(format['definition'], `${at}.format.definition`),
    syntax: word(format['syntax'], `${at}.format.syntax`, ['lark', 'regex'] as const),
  }
  return { kind: 'custom', name, ...descriptionOf(raw, at), format: { type, grammar } }
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
  const type = string(value['type'], 'tool_choice.type')
  if (type === 'allowed_tools') return allowedTools(value, tools)
  if (type !== 'function' && type !== 'custom') throw hosted('tool_choice.type', type)
  const name = string(value['name'], 'tool_choice.name')
  if (!tools.some((tool) => tool.name === name && tool.kind === type))
    throw invalid('tool_choice.name', "it names none of the 'tools'.")
  return { type: 'tool', kind: type, name }
}

function allowedTools(body: Fields, tools: readonly Tool[]): ToolChoice {
  const mode = word(body['mode'], 'tool_choice.mode', ['auto', 'required'] as const)
  const names = boundedArray(body['tools'], 'tool_choice.tools', 1, MAX_TOOLS).map((raw, index) => {
    const at = `tool_choice.tools[${index}]`
    const entry = object(raw, at)
    const type = string(entry['type'], `${at}.type`)
    if (type !== 'function' && type !== 'custom') throw hosted(`${at}.type`, type)
    const name = string(entry['name'], `${at}.name`)
    if (!tools.some((tool) => tool.name === name)) throw invalid(`${at}.name`, "it names none of the 'tools'.")
    return name
  })
  return { type: 'allowed', mode, names }
}

/** Decodes `text.format`. */
export function decodeFormat(value: unknown): OutputFormat | undefined {
  if (value === undefined || value === null) return undefined
  const at = 'text.format'
  const body = object(value, at)
  const type = word(body['type'], `${at}.type`, ['text', 'json_object', 'json_schema'] as const)
  if (type !== 'json_schema') return { type }
  return schemaFormat(body, at, true)
}
