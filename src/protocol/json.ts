import { isUtf8 } from 'node:buffer'
import { SwitchyardError } from '../shared/errors.ts'

/** Deepest nesting of objects and arrays in a body. Tool schemas of real agents stay below 20. */
export const MAX_DEPTH = 100 as const

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Parses a request body: strict JSON (RFC 8259, so UTF-8) whose top level is an object, no `__proto__`, no `constructor.prototype`, nesting
 * of at most 100. Throws `invalid_json` without a word of the body.
 */
export function parseJsonBody(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (isTooDeep(bytes)) throw refuse(`nested deeper than ${MAX_DEPTH} levels`)
  // Bytes that are no UTF-8 would become three bytes of U+FFFD each: more text than the body's size says.
  if (!isUtf8(bytes)) throw refuse('not valid UTF-8')
  const text = bytes.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('not a JSON object')
  // Escapes can spell any name, so the text alone is proof only where it holds neither the names nor a backslash-u.
  if (text.includes('__proto__') || text.includes('constructor') || text.includes('\\u')) checkTree(value)
  return value as Readonly<Record<string, unknown>>
}

/** Scans for depth without parsing; strings are jumped over, so that long texts cost little. */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) {
      i = endOfString(bytes, i)
      if (i < 0) return false
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      if (depth > MAX_DEPTH) return true
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1
  }
  return false
}

/** Index of the quote that ends the string which begins at `start`; -1 if there is none (the parser will say so). */
function endOfString(bytes: Buffer, start: number): number {
  let end = start
  for (;;) {
    end = bytes.indexOf(QUOTE, end + 1)
    if (end < 0) return -1
    let slashes = 0
    while (bytes[end - 1 - slashes] === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return end
  }
}

function checkTree(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) checkTree(item)
    return
  }
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key]
    if (key === '__proto__') throw refuse('a body with the key "__proto__"')
    if (key === 'constructor' && typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype')) {
      throw refuse('a body with the key "constructor.prototype"')
    }
    checkTree(inner)
  }
}

function refuse(what: string): SwitchyardError {
  return new SwitchyardError('invalid_json', `We could not parse the JSON body of your request: it is ${what}.`)
}
