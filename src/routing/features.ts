/** What the router looks at in a request: the last thing a person asked for, and the shape of everything around it. */
import type { ChatRequest, Message } from '../protocol/request.ts'
import { readSurface, SURFACE_NAMES } from './text-surface.ts'
import { depthOf, readTools, TOOL_NAMES } from './tool-shape.ts'

export interface RoutingFeatures {
  /** The last real user ask, cut to its first `HEAD_CHARS` and last `TAIL_CHARS` UTF-16 units; empty where there is none. */
  readonly text: string
  /** One number per entry of `COUNT_NAMES`, in that order; lengths and counts as ln(1 + x). */
  readonly counts: Float64Array
}

/** A question stands at the start or at the end of a long message; the middle is material. Bounds the cost of a decision. */
export const HEAD_CHARS = 960
export const TAIL_CHARS = 320

/** Names of the counts, in the order of `RoutingFeatures.counts`. Trained weights carry this list and are refused if it differs. */
export const COUNT_NAMES: readonly string[] = [
  ...SURFACE_NAMES,
  ...TOOL_NAMES,
  'variety',
  'output_schema_depth',
  'history_turns',
  'tool_results_since_ask',
  'system_characters',
]
const TOOLS_AT = SURFACE_NAMES.length
const REST_AT = TOOLS_AT + TOOL_NAMES.length
/** Places of counts that others look at by name. */
export const COUNT_AT: Readonly<Record<string, number>> = Object.fromEntries(COUNT_NAMES.map((name, i) => [name, i]))

/** Pure; never throws. Time is bounded by the cut text, `SCAN_MESSAGES` messages and the first tools with the first nodes of each. */
export function featuresOf(request: ChatRequest): RoutingFeatures {
  const { messages, format } = request
  const ask = lastAsk(messages)
  const text = cut(ask.text)
  const counts = new Float64Array(COUNT_NAMES.length)
  readSurface(text, counts)
  readTools(request.tools, counts, TOOLS_AT)
  counts[0] = (counts[0] as number) + ask.text.length - text.length
  const words = counts[1] as number
  // Every text says some words twice; Herdan's C does not fall with the length as the plain share does.
  const variety = words < 2 ? 1 : Math.log(counts[2] as number) / Math.log(words)
  for (let i = 0; i < REST_AT; i++) counts[i] = log1p(counts[i] as number)
  counts[REST_AT] = variety
  counts[REST_AT + 1] =
    format?.type === 'json_schema' && format.schema !== undefined ? log1p(depthOf(format.schema)) : 0
  counts[REST_AT + 2] = log1p(Math.max(0, ask.index))
  counts[REST_AT + 3] = log1p(ask.toolResultsSince)
  counts[REST_AT + 4] = log1p(systemLength(messages))
  return { text, counts }
}

const SMALL_LOGARITHMS = Float64Array.from({ length: 1024 }, (_, count) => Math.log1p(count))

/** ln(1 + count), count >= 0; most are small whole numbers. */
function log1p(count: number): number {
  return count < SMALL_LOGARITHMS.length && (count | 0) === count
    ? (SMALL_LOGARITHMS[count] as number)
    : Math.log1p(count)
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
  // Claude Code
  'system-reminder',
  'local-command-caveat',
  'local-command-stdout',
  'command-message',
  'command-contents',
  // Codex
  'environment_context',
  'user_instructions',
  'INSTRUCTIONS',
  'turn_aborted',
  // Cline and Roo Code
  'environment_details',
]

/** Where Aider repeats its rules for edits behind the ask. */
const AIDER_RULES = '\n# *SEARCH/REPLACE block* Rules:'

function withoutReminders(whole: string): string {
  const rules = whole.indexOf(AIDER_RULES)
  const text = rules === -1 ? whole : whole.slice(0, rules)
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

/** System and developer messages stand at the start. */
const SCAN_SYSTEM = 4

function systemLength(messages: readonly Message[]): number {
  let length = 0
  for (const message of messages.slice(0, SCAN_SYSTEM)) {
    if (message.role === 'system' || message.role === 'developer') length += textOf(message.content).length
  }
  return length
}
