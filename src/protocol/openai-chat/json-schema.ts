/**
 * Checks of caller-given JSON Schemas before they reach an engine: malformed ones have killed engine workers (CVE-2025-48944), and
 * remote references would be fetched from inside the user's network. Follows JSON Schema 2020-12 as far as it checks at all.
 */
import type { JsonObject } from '../request.ts'
import { isObject } from './check.ts'

const TYPES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
/** Keywords whose value is a schema. */
const ONE: readonly string[] = [
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
]
/** Keywords whose value is a list of schemas. */
const LIST: readonly string[] = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
/** Keywords whose value is a map of schemas. */
const MAP: readonly string[] = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const MAX_DEPTH = 64
const MAX_SCHEMAS = 20_000
const MAX_PATTERN = 10_000

/** What is wrong with a schema, as the end of a sentence; undefined where nothing is. */
export function findSchemaFault(schema: unknown): string | undefined {
  const state = { count: 0, root: schema }
  return faultOf(schema, 0, state)
}

/** Asserts a checked schema's type. */
export function asSchema(schema: unknown): JsonObject {
  return schema as JsonObject
}

function faultOf(schema: unknown, depth: number, state: { count: number; readonly root: unknown }): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isObject(schema)) return 'a schema must be an object or a boolean'
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`
  state.count += 1
  if (state.count > MAX_SCHEMAS) return `it has more than ${MAX_SCHEMAS} parts`
  const own = ownFault(schema, state.root)
  if (own !== undefined) return own
  for (const key of ONE) {
    // An array of `items` is the older form of `prefixItems`.
    if (key === 'items' && Array.isArray(schema[key])) {
      for (const item of schema[key]) {
        const fault = faultOf(item, depth + 1, state)
        if (fault !== undefined) return fault
      }
    } else if (schema[key] !== undefined) {
      const fault = faultOf(schema[key], depth + 1, state)
      if (fault !== undefined) return fault
    }
  }
  for (const key of LIST) {
    const list = schema[key]
    if (list === undefined) continue
    if (!Array.isArray(list) || list.length === 0) return `"${key}" must be a list of schemas`
    for (const item of list) {
      const fault = faultOf(item, depth + 1, state)
      if (fault !== undefined) return fault
    }
  }
  for (const key of MAP) {
    const map = schema[key]
    if (map === undefined) continue
    if (!isObject(map)) return `"${key}" must be an object of schemas`
    for (const name of Object.keys(map)) {
      if (key === 'patternProperties' && !compiles(name))
        return 'a key of "patternProperties" is not a valid regular expression'
      const fault = faultOf(map[name], depth + 1, state)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

function ownFault(schema: Readonly<Record<string, unknown>>, root: unknown): string | undefined {
  const { type, pattern, $ref, required } = schema
  if (type !== undefined) {
    const types = Array.isArray(type) ? type : [type]
    if (types.length === 0 || !types.every((each) => TYPES.has(each))) return '"type" must name JSON types'
  }
  if (pattern !== undefined) {
    if (typeof pattern !== 'string') return '"pattern" must be a string'
    if (pattern.length > MAX_PATTERN || !compiles(pattern)) return '"pattern" is not a valid regular expression'
  }
  if (required !== undefined && !(Array.isArray(required) && required.every((each) => typeof each === 'string'))) {
    return '"required" must be a list of names'
  }
  if (schema['enum'] !== undefined && !Array.isArray(schema['enum'])) return '"enum" must be a list'
  for (const key of [
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
    'minProperties',
    'maxProperties',
    'minimum',
    'maximum',
    'multipleOf',
  ]) {
    if (schema[key] !== undefined && typeof schema[key] !== 'number') return `"${key}" must be a number`
  }
  return $ref === undefined ? undefined : refFault($ref, root)
}

/** References stay inside the schema, and a chain of nothing but references must end somewhere. */
function refFault(ref: unknown, root: unknown): string | undefined {
  const seen = new Set<string>()
  let at: unknown = ref
  while (at !== undefined) {
    if (typeof at !== 'string') return '"$ref" must be a string'
    if (!at.startsWith('#')) return '"$ref" may only point inside the schema'
    if (seen.has(at)) return '"$ref" goes round in a circle'
    seen.add(at)
    const target = resolve(at, root)
    if (target === undefined) return '"$ref" points to nothing'
    at = isObject(target) ? target['$ref'] : undefined
  }
  return undefined
}

/** RFC 6901 JSON pointer in a fragment; anchors are taken as found. */
function resolve(ref: string, root: unknown): unknown {
  if (ref === '#' || !ref.startsWith('#/')) return root
  let at: unknown = root
  for (const raw of ref.slice(2).split('/')) {
    const key = decodeURIComponentSafe(raw).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) at = at[Number(key)]
    else if (isObject(at) && Object.hasOwn(at, key)) at = at[key]
    else return undefined
  }
  return at
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Compiled only, never run: a hostile pattern costs nothing until it is matched. */
function compiles(pattern: string): boolean {
  for (const flags of ['u', '']) {
    try {
      void new RegExp(pattern, flags)
      return true
    } catch {
      // Engines differ on Unicode mode; either form is enough.
    }
  }
  return false
}
