/** How much longer text can become on its way into a prompt than it was in the request: upper bounds in bytes, 0 for most text. */
import type { Json } from '../../protocol/request.ts'

/** Longest number that a renderer writes for one that took at least one byte: 1e20 becomes 100000000000000000000. */
const NUMBER_BYTES = 24
/** How templates may print JSON, as far as it makes it longer. */
export interface JsonStyle {
  /** Escapes what is not ASCII and `<>&'`. */
  readonly escapes: boolean
  /** Widest indentation of one level. */
  readonly indentBytes: number
  /** Markup around one key, less the JSON that it replaces. */
  readonly markupBytes: number
}

/**
 * Any template: `tojson(indent=4)` (Llama 3.1) or `<parameter><name></name></parameter>` (Qwen3-Coder, GLM), with the escapes of
 * Python's `json.dumps` and of minijinja's `tojson` (TGI).
 */
export const ANY_JSON: JsonStyle = { escapes: true, indentBytes: 4, markupBytes: 28 }
/** TypeScript declarations (OpenAI), which are shorter than JSON but for the bars of a union. */
export const TYPESCRIPT: JsonStyle = { escapes: false, indentBytes: 0, markupBytes: 0 }

/** The line break and the blank after a colon or comma. */
const SPACING_BYTES = 3
/** Around one argument of a call: `<arg_key></arg_key>\n<arg_value></arg_value>\n` (GLM 4.5), the longest known. */
const ARGUMENT_BYTES = 40
/** What `tools[i].function.parameters` is nested in when a template prints the whole list. */
export const TOOL_DEPTH = 3
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Bytes that normalisation (NFC or NFKC, whichever is longer) adds to a text. 0 for ASCII, which no form changes; the check is one
 * pass of Node's own byte count. Unicode 17 as of Node 24: characters assigned later may grow further.
 */
export function normalisationGrowth(text: string): number {
  const bytes = Buffer.byteLength(text)
  if (bytes === text.length) return 0
  const most = Math.max(Buffer.byteLength(text.normalize('NFC')), Buffer.byteLength(text.normalize('NFKC')))
  return Math.max(0, most - bytes)
}

/**
 * Bytes that escaping adds to a string that is rendered inside JSON: `\uXXXX` for what is not ASCII (Python's `json.dumps`) and for
 * `<>&'` (`tojson` of Jinja and minijinja, which TGI uses).
 */
export function escapeGrowth(text: string): number {
  if (!/[^ -%(-;=?-~]/.test(text)) return 0
  let growth = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7e) growth += 5
    else if (unit === 0x26 || unit === 0x27 || unit === 0x3c || unit === 0x3e) growth += 5
  }
  return growth
}

/**
 * Bytes that rendering adds to a JSON value over its compact form: indentation or the markup of XML-like templates per key, longer
 * numbers, escapes. `depth` is how deep the value lies in what the template prints.
 */
export function jsonGrowth(value: Json, depth: number, style: JsonStyle): number {
  const indent = SPACING_BYTES + style.indentBytes * depth
  if (typeof value === 'number') return indent + NUMBER_BYTES
  if (typeof value === 'string') return indent + (style.escapes ? stringGrowth(value) : 0)
  if (typeof value !== 'object' || value === null) return indent
  let growth = 2 * indent
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) growth += jsonGrowth(item, depth + 1, style)
    return growth
  }
  const record = value as { readonly [key: string]: Json }
  for (const key of Object.keys(record)) {
    if (style.markupBytes > 0) growth += Math.max(0, style.markupBytes + key.length - indent)
    growth += jsonGrowth(record[key] as Json, depth + 1, style)
    if (style.escapes) growth += stringGrowth(key)
  }
  return growth
}

/** What escapes and normalisation together can add to a string. */
export function stringGrowth(text: string): number {
  return escapeGrowth(text) + normalisationGrowth(text)
}

/**
 * Bytes that rendering adds to a call's arguments: templates parse them and print them anew, with blanks after commas and colons,
 * or as one element per argument. Text that is not JSON is printed as it is.
 */
export function argumentsGrowth(text: string, style: JsonStyle): number {
  const argumentBytes = style.markupBytes === 0 ? 1 : ARGUMENT_BYTES
  let growth = style.escapes ? escapeGrowth(text) : 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) {
      i = endOfString(text, i)
      if (i < 0) break
    } else if (unit === 0x7b || unit === 0x5b) depth += 1
    else if (unit === 0x7d || unit === 0x5d) depth -= 1
    else if (unit === 0x2c) growth += 1
    else if (unit === 0x3a) growth += depth === 1 ? argumentBytes : 1
    // The exponent of a number such as 1e20, which a renderer writes out.
    else if ((unit === 0x65 || unit === 0x45) && isDigit(text.charCodeAt(i - 1))) growth += NUMBER_BYTES
  }
  return growth
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

/** Index of the quote that ends the string which begins at `start`; -1 if there is none. */
function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return -1
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return end
  }
}
