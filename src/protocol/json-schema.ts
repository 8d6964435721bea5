/**
 * Checks of caller-given JSON Schemas before they reach an engine: malformed ones have killed engine workers (CVE-2025-48944), and
 * remote references would be fetched from inside the user's network. Follows JSON Schema 2020-12 as far as it checks at all.
 */
import type { JsonObject } from './request.ts'
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
  'additionalItems',
  'contentSchema',
]
/** Keywords whose value is a list of schemas. */
const LIST: readonly string[] = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
/** Keywords whose value is a map of schemas. */
const MAP: readonly string[] = [
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]
/** Keywords that point to another schema. */
const REFS: readonly string[] = ['$ref', '$dynamicRef', '$recursiveRef']
/** Keywords whose schemas describe the same value again, so that going round in them alone never ends. */
const SAME_VALUE: readonly string[] = ['not', 'if', 'then', 'else', 'allOf', 'anyOf', 'oneOf']
const MAX_DEPTH = 64
const MAX_SCHEMAS = 20_000
const MAX_PATTERN = 10_000

interface State {
  count: number
  readonly root: unknown
  /** Schemas that are known not to go round in a circle. */
  readonly ending: Set<unknown>
}

/** What is wrong with a schema, as the end of a sentence; undefined where nothing is. */
export function findSchemaFault(schema: unknown): string | undefined {
  return faultOf(schema, 0, { count: 0, root: schema, ending: new Set() })
}

/** Asserts a checked schema's type. */
export function asSchema(schema: unknown): JsonObject {
  return schema as JsonObject
}

function faultOf(schema: unknown, depth: number, state: State): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isObject(schema)) return 'a schema must be an object or a boolean'
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`
  state.count += 1
  if (state.count > MAX_SCHEMAS) return `it has more than ${MAX_SCHEMAS} parts`
  const own = ownFault(schema, state)
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
      // The older `dependencies` may also list names.
      if (key === 'dependencies' && isNames(map[name])) continue
      const fault = faultOf(map[name], depth + 1, state)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

function ownFault(schema: Readonly<Record<string, unknown>>, state: State): string | undefined {
  const { type, pattern, required } = schema
  if (type !== undefined) {
    const types = Array.isArray(type) ? type : [type]
    if (types.length === 0 || !types.every((each) => TYPES.has(each))) return '"type" must name JSON types'
  }
  if (pattern !== undefined) {
    if (typeof pattern !== 'string') return '"pattern" must be a string'
    if (pattern.length > MAX_PATTERN || !compiles(pattern)) return '"pattern" is not a valid regular expression'
  }
  if (required !== undefined && !isNames(required)) return '"required" must be a list of names'
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
  for (const key of REFS) {
    const fault = schema[key] === undefined ? undefined : refFault(schema[key], key, state.root)
    if (fault !== undefined) return fault
  }
  return schema['$ref'] === undefined || !comesBack(schema, state, new Set())
    ? undefined
    : '"$ref" goes round in a circle'
}

/** References stay inside the schema and point to something. */
function refFault(ref: unknown, key: string, root: unknown): string | undefined {
  if (typeof ref !== 'string') return `"${key}" must be a string`
  if (!ref.startsWith('#')) return `"${key}" may only point inside the schema`
  return resolve(ref, root) === undefined ? `"${key}" points to nothing` : undefined
}

/** Whether a schema leads back to one on the way to it without ever looking at a part of the value: engines recurse for ever. */
function comesBack(schema: unknown, state: State, way: Set<unknown>): boolean {
  if (!isObject(schema) || state.ending.has(schema)) return false
  // A way as long as this is no schema that somebody wrote.
  if (way.has(schema) || way.size > MAX_DEPTH) return true
  way.add(schema)
  const ref = schema['$ref']
  const next: unknown[] = SAME_VALUE.flatMap((key) => schema[key] ?? [])
  // Anchors are taken as found.
  if (typeof ref === 'string' && /^#(?:\/|$)/.test(ref)) next.push(resolve(ref, state.root))
  if (next.some((each) => comesBack(each, state, way))) return true
  way.delete(schema)
  state.ending.add(schema)
  return false
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
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
