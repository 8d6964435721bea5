import type { ChatRequest, Json, Message } from '../../protocol/request.ts'
import {
  callsMarkup,
  formatGrowth,
  jsonBytes,
  mediaOf,
  picturesMarkup,
  textsOf,
  toolGrowth,
  total,
  type InputBound,
} from './input-bound.ts'
import { promptRules, type BoundTarget, type PromptRules } from './prompt-rules.ts'
import { jsonGrowth, normalisationGrowth } from './rendering.ts'

/** Markup of a message when nothing of the body's JSON is counted: Llama 3's header as plain text has 57 bytes. */
const MARKUP_TOKENS = 48
const PART_TOKENS = 8
const NAME_TOKENS = 4
/** What the list that a body has around a tool, `{"type":"function","function":…}`, is longer than the internal model. */
const WRAPPER_TOKENS = 24
/** Where a string of a schema meets the punctuation around it, a tokeniser may split both anew. */
const SEAM_TOKENS = 2

export interface WalkedBound extends InputBound {
  /** Texts that the prompt holds as they are, for a tokeniser to count. */
  readonly texts: readonly string[]
  /** The rest of the prompt, in bytes: `tokens = otherTokens + bytes of the texts (as normalised)`. */
  readonly otherTokens: number
}

/**
 * A tighter bound than the body's bytes: only what reaches the template counts, and not as JSON where it is text. Costs one
 * measurement of every text and one `JSON.stringify` of the tools. For OpenAI's models the texts are also the strings of tools,
 * schemas and calls, so that a tokeniser leaves only punctuation to be bounded by bytes.
 */
export function walkedTokenBound(request: ChatRequest, target: BoundTarget): WalkedBound {
  const rules = promptRules(target)
  const texts = request.messages.flatMap(textsOf)
  let other = jsonBytes(target.extraBody) + jsonGrowth(target.extraBody as Json, 1, rules.json)
  other += jsonBytes(request.passed) + jsonBytes(request.format) + formatGrowth(request, rules)
  for (const message of request.messages) other += messageRest(message, rules)
  for (const tool of request.tools)
    other += rules.toolTokens + WRAPPER_TOKENS + jsonBytes(tool) + toolGrowth(tool, rules)
  if (rules.family === 'openai') {
    const inJson: string[] = []
    strings(request.tools as unknown as Json, inJson)
    if (request.format !== undefined) strings(request.format, inJson)
    for (const message of request.messages)
      if (message.role === 'assistant')
        strings(
          (message.toolCalls ?? []).map(({ id, name, arguments: given }) => [id, name, given]),
          inJson,
        )
    for (const text of inJson) other += SEAM_TOKENS - Buffer.byteLength(text)
    texts.push(...inJson)
  }
  let textBytes = 0
  for (const text of texts) textBytes += Buffer.byteLength(text) + (rules.normalises ? normalisationGrowth(text) : 0)
  const bound = total(request, target, rules, mediaOf(request, rules), textBytes + other)
  return { ...bound, texts, otherTokens: bound.tokens - textBytes }
}

/** A message without its texts: markup, and its calls as JSON. */
function messageRest(message: Message, rules: PromptRules): number {
  let rest = rules.messageTokens + (rules.family === 'openai' ? 0 : MARKUP_TOKENS)
  if (typeof message.content !== 'string' && message.content !== null) rest += message.content.length * PART_TOKENS
  if (message.role === 'tool') return rest + picturesMarkup(message)
  if (message.name !== undefined) rest += NAME_TOKENS
  if (message.role !== 'assistant') return rest
  for (const call of message.toolCalls ?? [])
    rest += jsonBytes(call.id) + jsonBytes(call.name) + jsonBytes(call.arguments) + (call.signature ?? '').length
  // Signed thinking is read as the thoughts that it stands for: base64, so at least a byte for each of their tokens.
  for (const { signature = '', redacted = '' } of message.reasoning ?? []) rest += signature.length + redacted.length
  return rest + callsMarkup(message, rules)
}

/** Every string of a JSON value, keys included. */
function strings(value: Json, into: string[]): void {
  if (typeof value === 'string') into.push(value)
  else if (Array.isArray(value)) for (const item of value as readonly Json[]) strings(item, into)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      into.push(key)
      strings(item, into)
    }
  }
}
