/** Function tools and output schemas, which the dialects of OpenAI write alike but for where they stand. */
import { invalid, isObject, missing, refuse, string, wrongType, type Fields } from './check.ts'
import { asSchema, findSchemaFault } from './json-schema.ts'
import type { FunctionTool, JsonObject, OutputFormat } from './request.ts'

export const MAX_TOOLS = 128 as const
const MAX_NAME = 64
const NAME = /^[a-zA-Z0-9_-]+$/

/** Decodes a function tool; `at` is its place, as in `tools[0].function`. */
export function functionTool(raw: Fields, at: string): FunctionTool {
  const { parameters, strict } = raw as { parameters?: unknown; strict?: unknown }
  const name = nameOf(raw['name'], `${at}.name`)
  if ((strict ?? null) !== null && typeof strict !== 'boolean') throw wrongType(`${at}.strict`, 'a boolean', strict)
  return {
    kind: 'function',
    name,
    ...descriptionOf(raw, at),
    ...((parameters ?? null) === null ? {} : { parameters: parametersOf(parameters, `${at}.parameters`) }),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

/** Decodes the schema of an answer; `needsSchema` = also where it is not strict. */
export function schemaFormat(body: Fields, at: string, needsSchema: boolean): OutputFormat {
  const name = nameOf(body['name'] ?? undefined, `${at}.name`)
  const { schema, strict } = body as { schema?: unknown; strict?: unknown }
  if ((strict ?? null) !== null && typeof strict !== 'boolean') throw wrongType(`${at}.strict`, 'a boolean', strict)
  if ((schema ?? null) !== null) {
    if (!isObject(schema)) throw wrongType(`${at}.schema`, 'an object', schema)
    const fault = findSchemaFault(schema)
    if (fault !== undefined)
      throw refuse('invalid_json_schema', `${at}.schema`, `Invalid schema for '${at}.schema': ${fault}.`)
  } else if (needsSchema || strict === true) throw missing(`${at}.schema`)
  return {
    type: 'json_schema',
    name,
    ...descriptionOf(body, at),
    ...(isObject(schema) ? { schema: asSchema(schema) } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

/** The description of a tool or a schema, where there is one. */
export function descriptionOf(raw: Fields, at: string): { readonly description?: string } {
  const value = raw['description'] ?? null
  return value === null ? {} : { description: string(value, `${at}.description`) }
}

/** A name that models can say: letters, digits, underscores and dashes, at most 64. */
export function nameOf(value: unknown, at: string): string {
  const name = string(value, at, MAX_NAME)
  if (name === '')
    throw refuse('empty_string', at, `Invalid '${at}': empty string. Expected a string with minimum length 1.`)
  if (!NAME.test(name)) throw invalid(at, 'expected letters, digits, underscores and dashes only.')
  return name
}

function parametersOf(value: unknown, at: string): JsonObject {
  const bad = (why: string): Error => refuse('invalid_function_parameters', at, `Invalid schema for '${at}': ${why}.`)
  if (!isObject(value)) throw wrongType(at, 'an object', value)
  const { type } = value as { type?: unknown }
  if (type !== undefined && type !== 'object') throw bad('its type must be "object"')
  const fault = findSchemaFault(value)
  if (fault !== undefined) throw bad(fault)
  return asSchema(value)
}
