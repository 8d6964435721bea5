/**
 * Most tokens that a request's prompt can have, without a tokeniser.
 *
 * A token of byte-level BPE stands for at least one byte of the rendered prompt, so bytes bound tokens. The same holds for
 * SentencePiece with byte fallback (a piece is at least one character, a fallback token exactly one byte; the blank that it puts
 * before each text is in the markup of a message), for vocabularies that know an unknown token, and for control tokens that stand in
 * a text: one token for at least one byte. Where a tokeniser normalises first, the bytes of the longer form count.
 *
 * A JSON body is at least as long as the UTF-8 of the strings in it: a character stands for itself or as an escape, and `\n` has two
 * bytes for one, `\u` six for at most three, a surrogate pair twelve for four, a lone surrogate six for the three of U+FFFD. So
 * `bodyBytes` bounds all texts at once. What rendering can add is counted apart (`rendering.ts`).
 */
import type { ChatRequest, Json, Message, Tool } from '../../protocol/request.ts'
import { mediaBound } from './media-bound.ts'
import { promptRules, type BoundTarget, type PromptRules } from './prompt-rules.ts'
import { argumentsGrowth, jsonGrowth, normalisationGrowth, stringGrowth, TOOL_DEPTH } from './rendering.ts'

export interface InputBound {
  /** The whole prompt, `mediaTokens` included. */
  readonly tokens: number
  readonly mediaTokens: number
  /** Output that is billed beyond the output cap: the tokens of a `prediction` that the model rejects (OpenAI). */
  readonly extraOutputTokens: number
  /** Fields whose cost nothing bounds (a file without a known context, web search): no budget can hold such a request. */
  readonly unbounded: readonly string[]
  /** Counted by the model's own tokeniser; nothing tighter is to be had. */
  readonly isExact: boolean
}

/** A call's own markup, and what the encoder writes for one that came as the deprecated `function_call`. */
const CALL_TOKENS = 64
/** Marks that a tokeniser puts around a raw prompt by itself: beginning and end of the sequence. */
const RAW_TOKENS = 8
/** Between parts of one message, where some templates put line breaks or marks. */
const PART_TOKENS = 8
/** A message of its own, and the word before it, for the pictures of a tool's result (`openai-chat/tool-pictures.ts`). */
const PICTURES_TOKENS = 96
/** Heading of a schema in the prompt: `# Response Formats\n\n## name`. */
const FORMAT_TOKENS = 32
/** Anthropic writes a system prompt of its own about a format (structured outputs guide), whose length it does not publish. */
const ANTHROPIC_FORMAT_TOKENS = 512

/**
 * The cheapest bound: the body's bytes and what rendering may add to them. Work grows with the number of messages and of nodes in
 * the tools' schemas; texts are at most measured, and for OpenAI's own models not even that.
 */
export function inputTokenBound(request: ChatRequest, target: BoundTarget): InputBound {
  const rules = promptRules(target)
  const media = mediaOf(request, rules)
  const fixed = jsonBytes(target.extraBody) + jsonGrowth(target.extraBody as Json, 1, rules.json)
  const text = request.bodyBytes - media.payloadBytes + markup(request, rules) + textGrowth(request, rules)
  return total(request, target, rules, media, Math.max(0, text) + fixed)
}

export function total(
  request: ChatRequest,
  target: BoundTarget,
  rules: PromptRules,
  media: MediaTotal,
  textTokens: number,
): InputBound {
  const isOpenAi = rules.family === 'openai'
  const unbounded: string[] = []
  if (media.isUnbounded && target.contextTokens === undefined) unbounded.push('messages')
  // Searches are billed by the call, and what they find as input.
  if (request.openai.web_search_options !== undefined && target.kind === 'openai') unbounded.push('web_search_options')
  const counted = textTokens + (isRaw(request, target) ? RAW_TOKENS : template(request, rules)) + media.tokens
  // A longer prompt than the context is refused by the upstream and not billed.
  const tokens = media.isUnbounded ? Math.max(counted, target.contextTokens ?? 0) : counted
  return {
    tokens,
    mediaTokens: media.tokens + tokens - counted,
    extraOutputTokens: isOpenAi || target.kind === 'openai' ? jsonBytes(request.openai.prediction) : 0,
    unbounded,
    isExact: false,
  }
}

/** Nobody puts a template around what is embedded. vLLM and TGI send a raw prompt through none; others that take one may (Ollama does). */
function isRaw({ prompt, embed }: ChatRequest, { kind }: BoundTarget): boolean {
  if (embed !== undefined) return true
  return prompt !== undefined && (kind === 'vllm' || kind === 'tgi')
}

function template(request: ChatRequest, rules: PromptRules): number {
  return (
    rules.templateTokens +
    (request.tools.length > 0 ? rules.toolTemplateTokens : 0) +
    (request.format === undefined ? 0 : rules.family === 'anthropic' ? ANTHROPIC_FORMAT_TOKENS : FORMAT_TOKENS)
  )
}

export interface MediaTotal {
  readonly tokens: number
  readonly payloadBytes: number
  readonly isUnbounded: boolean
}

export function mediaOf(request: ChatRequest, rules: PromptRules): MediaTotal {
  let tokens = 0
  let payloadBytes = 0
  let isUnbounded = false
  for (const message of request.messages) {
    // An answer in sound that goes back by its id.
    if (message.role === 'assistant' && message.audioId !== undefined) isUnbounded = true
    if (typeof message.content === 'string' || message.content === null) continue
    for (const part of message.content) {
      if (part.type === 'text') continue
      const media = mediaBound(part, rules)
      tokens += media.tokens
      payloadBytes += media.payloadBytes
      isUnbounded ||= media.isUnbounded
    }
  }
  return { tokens, payloadBytes, isUnbounded }
}

/** Markup of messages, parts and calls beyond the JSON around them, and what rendering adds to tools and arguments. */
function markup(request: ChatRequest, rules: PromptRules): number {
  let tokens = request.messages.length * rules.messageTokens
  for (const message of request.messages) {
    if (message.role === 'assistant') tokens += callsMarkup(message, rules)
    if (typeof message.content !== 'string' && message.content !== null)
      tokens += message.content.length * PART_TOKENS + picturesMarkup(message)
  }
  for (const tool of request.tools) tokens += rules.toolTokens + toolGrowth(tool, rules)
  return tokens + formatGrowth(request, rules)
}

/** What a result of a tool with pictures may have more than is asked for. */
export function picturesMarkup({ role, content }: Message): number {
  if (role !== 'tool' || typeof content === 'string') return 0
  return content.some(({ type }) => type === 'image') ? PICTURES_TOKENS : 0
}

export function callsMarkup(message: Extract<Message, { role: 'assistant' }>, rules: PromptRules): number {
  let tokens = 0
  for (const call of message.toolCalls ?? [])
    tokens +=
      CALL_TOKENS +
      argumentsGrowth(call.arguments, rules.json) +
      growthOf(call.arguments, rules) +
      (rules.json.escapes ? stringGrowth(call.name) + stringGrowth(call.id) : 0)
  return tokens
}

export function toolGrowth(tool: Tool, rules: PromptRules): number {
  const schema = tool.kind === 'function' ? tool.parameters : tool.format
  const description = tool.description ?? ''
  return (
    jsonGrowth(description, TOOL_DEPTH, rules.json) +
    (schema === undefined ? 0 : jsonGrowth(schema, TOOL_DEPTH, rules.json))
  )
}

export function formatGrowth({ format }: ChatRequest, rules: PromptRules): number {
  if (format?.type !== 'json_schema' || format.schema === undefined) return 0
  return jsonGrowth(format.schema, TOOL_DEPTH, rules.json) + growthOf(format.description ?? '', rules)
}

function growthOf(text: string, rules: PromptRules): number {
  return rules.normalises ? normalisationGrowth(text) : 0
}

/** What normalisation adds to the texts of the messages. */
function textGrowth(request: ChatRequest, rules: PromptRules): number {
  if (!rules.normalises) return 0
  let growth = 0
  for (const message of request.messages) for (const text of textsOf(message)) growth += normalisationGrowth(text)
  return growth
}

/** Every text of a message that a template may print as it is. */
export function textsOf(message: Message): readonly string[] {
  const { content } = message
  const texts: string[] = []
  if (typeof content === 'string') texts.push(content)
  else if (content !== null) for (const part of content) if ('text' in part) texts.push(part.text)
  if (message.role === 'tool') {
    texts.push(message.toolCallId)
    return texts
  }
  if (message.name !== undefined) texts.push(message.name)
  if (message.role === 'assistant') {
    if (message.refusal !== undefined) texts.push(message.refusal)
    for (const part of message.reasoning ?? []) texts.push(part.text)
  }
  return texts
}

/** UTF-8 bytes of a value's compact JSON; 0 for none. */
export function jsonBytes(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
}
