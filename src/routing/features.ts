/** What the router looks at in a request: the last thing a person asked for, and the shape of everything around it. */
import type { ChatRequest, JsonObject, Message, Tool } from '../protocol/request.ts'
import { surfaceOf } from './text-surface.ts'

export interface RoutingFeatures {
  /** The last real user ask, cut to its first `HEAD_CHARS` and last `TAIL_CHARS` UTF-16 units; empty where there is none. */
  readonly text: string
  /** One number per entry of `COUNT_NAMES`, in that order; lengths and counts as ln(1 + x). */
  readonly counts: Float64Array
}

/** A question stands at the start or at the end of a long message; the middle is material. Bounds the cost of a decision. */
export const HEAD_CHARS = 240
export const TAIL_CHARS = 80

/** Names of the counts, in the order of `RoutingFeatures.counts`. Trained weights carry this list and are refused if it differs. */
export const COUNT_NAMES: readonly string[] = [
  'text_length',
  'text_words',
  'text_lines',
  'text_digits',
  'text_capitals',
  'text_non_ascii',
  'text_math_signs',
  'option_lines',
  'code_fences',
  'negations',
  'question_marks',
  'tools',
  'tool_parameters',
  'schema_depth',
  'output_schema_depth',
  'history_turns',
  'tool_results_since_ask',
  'system_length',
]

/** Pure; never throws. Time is bounded by the cut text, `SCAN_MESSAGES` messages and `SCHEMA_NODES` schema nodes. */
export function featuresOf(request: ChatRequest): RoutingFeatures {
  const { messages, tools, format } = request
  const ask = lastAsk(messages)
  const text = cut(ask.text)
  const surface = surfaceOf(text)
  const schemas = toolSchemas(tools)
  const outputSchema = format?.type === 'json_schema' ? format.schema : undefined
  const counts = [
    ask.text.length,
    surface.words,
    surface.lines,
    surface.digits,
    surface.capitals,
    surface.nonAscii,
    surface.mathSigns,
    surface.optionLines,
    surface.codeFences,
    surface.negations,
    surface.questionMarks,
    tools.length,
    schemas.parameters,
    schemas.depth,
    outputSchema === undefined ? 0 : depthOf(outputSchema),
    Math.max(0, ask.index),
    ask.toolResultsSince,
    systemLength(messages),
  ]
  const logarithms = new Float64Array(counts.length)
  for (let i = 0; i < counts.length; i++) logarithms[i] = log1p(counts[i] as number)
  return { text, counts: logarithms }
}

const SMALL_LOGARITHMS = Float64Array.from({ length: 1024 }, (_, count) => Math.log1p(count))

/** ln(1 + count) of a whole number >= 0; most are small. */
function log1p(count: number): number {
  return count < SMALL_LOGARITHMS.length ? (SMALL_LOGARITHMS[count] as number) : Math.log1p(count)
}

interface Ask {
  readonly text: string
  /** Position of its message: how much history came before; -1 = there is no ask. */
  readonly index: number
  readonly toolResultsSince: number
}

/** Agents append hundreds of tool results after one ask; older messages than this say nothing more. */
const SCAN_MESSAGES = 256

/** Reminders are looked for in this many characters at either end of a message. */
const SCAN_CHARS = 65_536

function lastAsk(messages: readonly Message[]): Ask {
  let toolResultsSince = 0
  const end = Math.max(0, messages.length - SCAN_MESSAGES)
  for (let index = messages.length - 1; index >= end; index--) {
    const message = messages[index] as Message
    if (message.role === 'tool') toolResultsSince++
    if (message.role !== 'user') continue
    const text = withoutReminders(ends(textOf(message.content), SCAN_CHARS)).trim()
    if (text !== '') return { text, index, toolResultsSince }
  }
  return { text: '', index: -1, toolResultsSince }
}

/** Texts of a content, joined by line ends; joins no more parts than the cut could show from either end. */
function textOf(content: Message['content']): string {
  if (typeof content === 'string') return content
  if (content === null) return ''
  const texts: string[] = []
  for (const part of content) if (part.type === 'text') texts.push(part.text)
  return texts.join('\n')
}

/** Blocks that agent programs put into the user's message on their own; they are not what the person asked. */
const REMINDER_TAGS: readonly string[] = [
  'system-reminder',
  'environment_context',
  'user_instructions',
  'environment_details',
]

function withoutReminders(text: string): string {
  if (!text.includes('<')) return text
  let rest = text
  for (const tag of REMINDER_TAGS) {
    const open = `<${tag}>`
    if (!rest.includes(open)) continue
    const close = `</${tag}>`
    const kept: string[] = []
    let from = 0
    for (;;) {
      const start = rest.indexOf(open, from)
      if (start === -1) break
      const end = rest.indexOf(close, start)
      kept.push(rest.slice(from, start))
      // A block that is never closed reaches to the end.
      from = end === -1 ? rest.length : end + close.length
    }
    kept.push(rest.slice(from))
    rest = kept.join('')
  }
  return rest
}

function cut(text: string): string {
  return text.length <= HEAD_CHARS + TAIL_CHARS ? text : `${text.slice(0, HEAD_CHARS)}\n${text.slice(-TAIL_CHARS)}`
}

function ends(text: string, chars: number): string {
  return text.length <= chars * 2 ? text : `${text.slice(0, chars)}\n${text.slice(-chars)}`
}

const SCAN_TOOLS = 64

function toolSchemas(tools: readonly Tool[]): { readonly parameters: number; readonly depth: number } {
  let parameters = 0
  let depth = 0
  for (const tool of tools.slice(0, SCAN_TOOLS)) {
    if (tool.kind !== 'function' || tool.parameters === undefined) continue
    const properties = tool.parameters['properties']
    if (isObject(properties)) parameters += Object.keys(properties).length
    depth = Math.max(depth, depthOf(tool.parameters))
  }
  return { parameters, depth }
}

const SCHEMA_NODES = 256
const SCHEMA_DEPTH = 8

/** Levels of objects and arrays in a schema's `properties` and `items`: 1 for a flat object. */
function depthOf(schema: JsonObject): number {
  let nodes = 0
  const visit = (node: unknown, level: number): number => {
    if (!isObject(node) || level > SCHEMA_DEPTH || nodes++ > SCHEMA_NODES) return level - 1
    const { properties, items } = node
    let deepest = isObject(properties) || isObject(items) ? level : level - 1
    if (isObject(properties)) {
      for (const value of Object.values(properties)) deepest = Math.max(deepest, visit(value, level + 1))
    }
    if (isObject(items)) deepest = Math.max(deepest, visit(items, level + 1))
    return deepest
  }
  return visit(schema, 1)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** System and developer messages stand at the start. */
const SCAN_SYSTEM = 4

function systemLength(messages: readonly Message[]): number {
  let length = 0
  for (const message of messages.slice(0, SCAN_SYSTEM)) {
    if (message.role === 'system' || message.role === 'developer') length += textOf(message.content).length
  }
  return length
}
