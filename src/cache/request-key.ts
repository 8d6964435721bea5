/**
 * What makes two requests the same. Everything in the request model counts but the fields that are listed here as changing nothing;
 * a field without an entry does not compile, so that a new one cannot be forgotten.
 */
import { hash } from 'node:crypto'
import type { ChatRequest, Message, OpenAiOnly, Sampling } from '../protocol/request.ts'
import { canonicalJson } from './canonical-json.ts'

/** `counts`: another value is another request. `ignored`: it changes the form of the answer, or nothing. `apart`: written by code of its own. */
type Weight = 'counts' | 'ignored' | 'apart'
type Weights<T> = { readonly [Field in keyof Required<T>]: Weight }

/** Which fields of a request make it another one. */
export const REQUEST_FIELDS: Weights<ChatRequest> = {
  model: 'apart',
  messages: 'apart',
  prompt: 'counts',
  embed: 'counts',
  tools: 'apart',
  toolChoice: 'counts',
  parallelToolCalls: 'counts',
  format: 'apart',
  reasoningEffort: 'counts',
  thinking: 'counts',
  maxOutputTokens: 'counts',
  n: 'counts',
  topLogprobs: 'counts',
  sampling: 'apart',
  openai: 'apart',
  passed: 'apart',
  // A stored answer is replayed in either form.
  stream: 'ignored',
  includeUsage: 'ignored',
  legacyFunctions: 'counts',
  betas: 'counts',
  // Whose task it is on is no part of what is asked.
  taskId: 'ignored',
  hints: 'counts',
  // Repeats the request's settings to its caller; the conversation before it stands in `messages`.
  turn: 'ignored',
  // They never reach a model.
  dropped: 'ignored',
  bodyBytes: 'ignored',
}

/** The same of the sampling parameters. */
export const SAMPLING_FIELDS: Weights<Sampling> = {
  temperature: 'counts',
  topP: 'apart',
  frequencyPenalty: 'counts',
  presencePenalty: 'counts',
  seed: 'counts',
  stop: 'counts',
  logitBias: 'counts',
  topK: 'counts',
  minP: 'counts',
  repetitionPenalty: 'counts',
}

/** The same of OpenAI's own fields. */
export const OPENAI_FIELDS: Weights<OpenAiOnly> = {
  audio: 'counts',
  // Who asks, for the provider's records.
  metadata: 'ignored',
  modalities: 'counts',
  moderation: 'counts',
  prediction: 'counts',
  // Where the provider keeps what it has read before.
  prompt_cache_key: 'ignored',
  prompt_cache_options: 'ignored',
  prompt_cache_retention: 'ignored',
  safety_identifier: 'ignored',
  // How fast and at what price it is answered.
  service_tier: 'ignored',
  store: 'ignored',
  user: 'ignored',
  verbosity: 'counts',
  web_search_options: 'counts',
}

const counting = (fields: Readonly<Record<string, Weight>>): readonly string[] =>
  Object.keys(fields).filter((name) => fields[name] === 'counts')
const REQUEST_COUNTING = counting(REQUEST_FIELDS) as readonly (keyof ChatRequest)[]
const SAMPLING_COUNTING = counting(SAMPLING_FIELDS) as readonly (keyof Sampling)[]
const OPENAI_COUNTING = new Set(counting(OPENAI_FIELDS))

/**
 * The key of a request within a scope: SHA-256 in base64url.
 * @param scope Who may share the answer.
 * @param revision What answers it: models, adapters and prices behind the name that the caller wrote.
 */
export function requestKey(scope: string, revision: string, request: ChatRequest): string {
  return hash('sha256', framed(scope) + framed(revision) + canonicalRequest(request, false), 'base64url')
}

/**
 * The key of all requests that differ from this one in the last user text alone; undefined where the last message is no plain text
 * of a user. `encoder` names the model that compares the texts: vectors of two encoders must never meet.
 */
export function partitionKey(
  scope: string,
  revision: string,
  encoder: string,
  request: ChatRequest,
): string | undefined {
  if (lastUserText(request) === undefined) return undefined
  const text = framed(scope) + framed(revision) + framed(encoder) + canonicalRequest(request, true)
  return hash('sha256', text, 'base64url')
}

/** The plain text of the last message, where it is a user's. */
export function lastUserText({ messages }: ChatRequest): string | undefined {
  const last = messages.at(-1)
  return last?.role === 'user' ? plainText(last) : undefined
}

/** The request as one text that is equal exactly where requests are the same. Every part has its length before it, so that no two run together. */
export function canonicalRequest(request: ChatRequest, isLastBlank: boolean): string {
  const { messages, tools, format, sampling, openai, passed } = request
  let text = framed(request.model)
  const last = messages.length - 1
  for (let at = 0; at <= last; at++) text += canonicalMessage(messages[at] as Message, isLastBlank && at === last)
  for (const name of REQUEST_COUNTING) {
    const value = request[name]
    if (value === undefined || value === false || (name === 'n' && value === 1)) continue
    text += `;${name}=${framed(canonicalJson(value))}`
  }
  // Not the same as left out: a tool's call in parallel is on by default.
  if (request.parallelToolCalls === false) text += ';serial'
  if (tools.length > 0) text += `;tools=${framed(canonicalJson(tools))}`
  // `text` is what every model does that is told nothing.
  if (format !== undefined && format.type !== 'text') text += `;format=${framed(canonicalJson(format))}`
  for (const name of SAMPLING_COUNTING) {
    const value = sampling[name]
    if (value !== undefined)
      text += `;${name}=${framed(typeof value === 'number' ? String(value) : canonicalJson(value))}`
  }
  // The whole distribution, which is the default, is the one token of temperature 0 all the same; elsewhere a server may have another default.
  if (sampling.topP !== undefined && !(sampling.topP === 1 && sampling.temperature === 0))
    text += `;topP=${sampling.topP}`
  for (const name in openai) {
    if (OPENAI_COUNTING.has(name)) return text + canonicalRest(openai, passed)
  }
  for (const name in passed) {
    if (Object.hasOwn(passed, name)) return text + canonicalRest(openai, passed)
  }
  return text
}

function canonicalRest(openai: OpenAiOnly, passed: ChatRequest['passed']): string {
  const counted = Object.entries(openai).filter(([name]) => OPENAI_COUNTING.has(name))
  return `;openai=${framed(canonicalJson(Object.fromEntries(counted)))};passed=${framed(canonicalJson(passed))}`
}

function canonicalMessage(message: Message, isBlank: boolean): string {
  const plain = plainText(message)
  if (plain === undefined) return `j${framed(canonicalJson(message))}`
  return `${message.role}${framed(isBlank ? '' : plain)}`
}

/** The text of a message that is nothing else: a string, or one part of text, which says the same. */
function plainText(message: Message): string | undefined {
  const { content } = message
  for (const name in message) {
    if (name !== 'role' && name !== 'content' && message[name as keyof Message] !== undefined) return undefined
  }
  if (typeof content === 'string') return content
  if (content?.length !== 1) return undefined
  const [part] = content
  return part?.type === 'text' && part.cache === undefined ? part.text : undefined
}

function framed(text: string): string {
  return `${text.length}:${text}`
}
