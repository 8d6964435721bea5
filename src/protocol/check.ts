/** The small checks that the request validator is made of. Each throws an error with OpenAI's code, param and form of sentence. */
import { SwitchyardError, type ErrorCode } from '../shared/errors.ts'

export type Fields = Readonly<Record<string, unknown>>

export function refuse(code: ErrorCode, param: string, message: string): SwitchyardError {
  return new SwitchyardError(code, message, { param })
}

export function wrongType(param: string, expected: string, value: unknown): SwitchyardError {
  return refuse(
    'invalid_type',
    param,
    `Invalid type for '${param}': expected ${expected}, but got ${describe(value)} instead.`,
  )
}

export function missing(param: string): SwitchyardError {
  return refuse('missing_required_parameter', param, `Missing required parameter: '${param}'.`)
}

export function invalid(param: string, why: string): SwitchyardError {
  return refuse('invalid_value', param, `Invalid value for '${param}': ${why}`)
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A required object. */
export function object(value: unknown, param: string): Fields {
  if (value === undefined) throw missing(param)
  if (!isObject(value)) throw wrongType(param, 'an object', value)
  return value
}

/** A required string. */
export function string(value: unknown, param: string, maxLength?: number): string {
  if (value === undefined) throw missing(param)
  if (typeof value !== 'string') throw wrongType(param, 'a string', value)
  if (maxLength !== undefined && value.length > maxLength) throw tooLong(param, maxLength, value.length)
  return value
}

export function array(value: unknown, param: string): readonly unknown[] {
  if (value === undefined) throw missing(param)
  if (!Array.isArray(value)) throw wrongType(param, 'an array', value)
  return value as readonly unknown[]
}

/** An array whose length is bounded; 0 is refused unless `min` is 0. */
export function boundedArray(value: unknown, param: string, min: number, max: number): readonly unknown[] {
  const list = array(value, param)
  if (list.length < min) {
    throw refuse('empty_array', param, `Invalid '${param}': empty array. Expected an array with minimum length ${min}.`)
  }
  if (list.length > max) {
    throw refuse(
      'array_above_max_length',
      param,
      `Invalid '${param}': array too long. Expected at most ${max} elements, but got ${list.length}.`,
    )
  }
  return list
}

// The optional ones: null counts as unset, since clients send null for what they do not set.

export function optionalString(body: Fields, name: string, maxLength?: number): string | undefined {
  const value = body[name]
  return value === undefined || value === null ? undefined : string(value, name, maxLength)
}

export function optionalBoolean(body: Fields, name: string, param: string = name): boolean | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw wrongType(param, 'a boolean', value)
  return value
}

export function optionalObject(body: Fields, name: string): Fields | undefined {
  const value = body[name]
  return value === undefined || value === null ? undefined : object(value, name)
}

export function optionalNumber(body: Fields, name: string, min: number, max: number): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(name, 'a decimal', value)
  if (value < min) throw bound('decimal_below_min_value', name, `>= ${min}`, value)
  if (value > max) throw bound('decimal_above_max_value', name, `<= ${max}`, value)
  return value
}

export function optionalInteger(body: Fields, name: string, min: number, max: number): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer', value)
  if (value < min) throw bound('integer_below_min_value', name, `>= ${min}`, value)
  if (value > max) throw bound('integer_above_max_value', name, `<= ${max}`, value)
  return value
}

export function optionalEnum<Word extends string>(
  body: Fields,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = body[name]
  return value === undefined || value === null ? undefined : word(value, name, words)
}

/** A required word of a closed set. */
export function word<Word extends string>(value: unknown, param: string, words: readonly Word[]): Word {
  const text = string(value, param)
  if (!(words as readonly string[]).includes(text)) {
    throw invalid(param, `expected one of ${words.map((each) => `'${each}'`).join(', ')}.`)
  }
  return text as Word
}

export function tooLong(param: string, maxLength: number, length: number): SwitchyardError {
  return refuse(
    'string_above_max_length',
    param,
    `Invalid '${param}': string too long. Expected a string with maximum length ${maxLength}, but got a string with length ${length} instead.`,
  )
}

function bound(code: ErrorCode, param: string, expected: string, value: number): SwitchyardError {
  const kind = code.startsWith('integer') ? 'integer' : 'decimal'
  const side = code.includes('below') ? 'below minimum' : 'above maximum'
  return refuse(
    code,
    param,
    `Invalid '${param}': ${kind} ${side} value. Expected a value ${expected}, but got ${value} instead.`,
  )
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'an integer' : 'a decimal'
    case 'string':
      return 'a string'
    case 'boolean':
      return 'a boolean'
    default:
      return 'an object'
  }
}
