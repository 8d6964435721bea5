import { Ajv, type ValidateFunction } from 'ajv'
import { LRUCache } from 'lru-cache'
import type { Json, JsonObject } from '../../protocol/request.ts'

/** Compiling a schema takes about a millisecond: those of agents come back with every call. */
const MAX_COMPILED = 200
/** A larger schema is not compiled: its answer is checked for being JSON only. */
const MAX_SCHEMA_CHARS = 32_768

/** Callers write the schemas, so a pattern could take for ever: patterns and formats are left to the model's own decoder. */
const anything = Object.assign((): { test(): boolean } => ({ test: () => true }), { code: 'anything' })

/** Checks JSON texts against JSON Schemas (draft 7 and what later drafts have in common with it). Nothing is ever fetched. */
export class JsonChecker {
  readonly #compiled = new LRUCache<string, { readonly validate: ValidateFunction | undefined }>({ max: MAX_COMPILED })

  /** Whether the text is JSON and, where its schema is one that can be compiled, fits it. */
  fits(text: string, schema: JsonObject | undefined): boolean {
    let value: Json
    try {
      value = JSON.parse(text) as Json
    } catch {
      return false
    }
    if (schema === undefined) return true
    const key = JSON.stringify(schema)
    let known = this.#compiled.get(key)
    if (known === undefined) {
      known = { validate: key.length > MAX_SCHEMA_CHARS ? undefined : compile(schema) }
      this.#compiled.set(key, known)
    }
    return known.validate === undefined || known.validate(value)
  }
}

/** Undefined where the schema makes no sense or points outside of itself: nothing can be said then. */
function compile(schema: JsonObject): ValidateFunction | undefined {
  // One instance each: schemas of different callers may carry the same `$id`.
  const ajv = new Ajv({ strict: false, validateFormats: false, logger: false, code: { regExp: anything } })
  const { $schema: _dialect, ...bare } = schema
  try {
    return ajv.compile(bare)
  } catch {
    return undefined
  }
}
