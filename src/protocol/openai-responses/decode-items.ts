import { boundedArray, isObject, refuse, string, word, wrongType, type Fields } from '../check.ts'
import type { TextMeter } from '../openai-chat/decode-messages.ts'
import type { ReasoningPart } from '../request.ts'
import { assistantContent, metered, outputContent, systemContent, userContent } from './decode-content.ts'
import { readEncrypted } from './encrypted-content.ts'
import type { Item } from './item.ts'

/** Far above what any agent sends; bounds the work for one request. */
const MAX_ITEMS = 100_000
const MAX_NAME = 256
const MAX_ID = 512
const ROLES = ['user', 'assistant', 'system', 'developer'] as const
const PHASES = ['commentary', 'final_answer'] as const
const TYPES = [
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'reasoning',
  'item_reference',
] as const
/** Items of tools that run at OpenAI, and of its own keeping of conversations. */
const HOSTED =
  /^(?:additional_tools|apply_patch|code_interpreter|compaction|computer|configuration_update|file_search|image_generation|local_shell|mcp|program|shell|tool_search|web_search)(?:_|$)/

/** Gives the stored item of an id; undefined = there is none. */
export type FindItem = (id: string) => unknown

/** Decodes `input`, a text or a list of items. */
export function decodeInput(value: unknown, meter: TextMeter, find: FindItem): readonly Item[] {
  if (typeof value === 'string') return [{ type: 'message', role: 'user', content: metered(value, meter) }]
  if (!Array.isArray(value)) throw wrongType('input', 'a string or an array of items', value)
  return boundedArray(value, 'input', 1, MAX_ITEMS).map((raw, index) => decodeItem(raw, `input[${index}]`, meter, find))
}

/** Decodes one item. Unknown keys inside are left out. */
export function decodeItem(raw: unknown, at: string, meter: TextMeter, find: FindItem): Item {
  if (!isObject(raw)) throw wrongType(at, 'an object', raw)
  const type = typeOf(raw, at)
  const id = (raw['id'] ?? null) === null ? {} : { id: string(raw['id'], `${at}.id`, MAX_ID) }
  const text = (name: string, max?: number): string => string(raw[name], `${at}.${name}`, max)
  switch (type) {
    case 'message':
      return { ...id, ...message(raw, at, meter) }
    case 'function_call':
    case 'custom_tool_call': {
      const kind = type === 'function_call' ? 'function' : 'custom'
      const name = text('name', MAX_NAME)
      const args = metered(text(kind === 'function' ? 'arguments' : 'input'), meter)
      return { ...id, type: 'call', call: { id: text('call_id', MAX_ID), kind, name, arguments: args } }
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return {
        ...id,
        type: 'output',
        kind: type === 'function_call_output' ? 'function' : 'custom',
        callId: text('call_id', MAX_ID),
        content: outputContent(raw['output'], `${at}.output`, meter),
      }
    case 'reasoning':
      return { ...id, ...reasoning(raw, at, meter) }
    case 'item_reference': {
      const wanted = text('id', MAX_ID)
      const found = find(wanted)
      if (found === undefined)
        throw refuse('not_found', `${at}.id`, `Item with id '${wanted.slice(0, 64)}' not found. ${KEPT}`)
      return decodeItem(found, at, meter, () => undefined)
    }
    default:
      return type satisfies never
  }
}

const KEPT =
  'Items are kept only of responses with "store": true, under a key that allows it; otherwise send the items themselves.'

function typeOf(raw: Fields, at: string): (typeof TYPES)[number] {
  const type = raw['type'] ?? (raw['role'] === undefined ? undefined : 'message')
  if (typeof type === 'string' && HOSTED.test(type)) {
    throw refuse(
      'unsupported_value',
      `${at}.type`,
      `Items of type '${type.slice(0, 64)}' belong to tools that run at OpenAI, which this service does not offer. Leave them out, or send them as text.`,
    )
  }
  return word(type, `${at}.type`, TYPES)
}

function message(raw: Fields, at: string, meter: TextMeter): Extract<Item, { type: 'message' }> {
  const role = word(raw['role'], `${at}.role`, ROLES)
  const where = `${at}.content`
  switch (role) {
    case 'user':
      return { type: 'message', role, content: userContent(raw['content'], where, meter) }
    case 'system':
    case 'developer':
      return { type: 'message', role, content: systemContent(raw['content'], where, meter) }
    case 'assistant': {
      // A model may have said nothing at all.
      const isEmpty = Array.isArray(raw['content']) && raw['content'].length === 0
      const content = isEmpty ? '' : assistantContent(raw['content'], where, meter)
      const phase = raw['phase'] ?? null
      if (phase === null) return { type: 'message', role, content }
      return { type: 'message', role, content, phase: word(phase, `${at}.phase`, PHASES) }
    }
    default:
      return role satisfies never
  }
}

function reasoning(raw: Fields, at: string, meter: TextMeter): Item {
  const texts = (name: string, types: readonly string[]): string => {
    const list = raw[name] ?? null
    if (list === null) return ''
    return boundedArray(list, `${at}.${name}`, 0, MAX_ITEMS)
      .map((part, index) => {
        const where = `${at}.${name}[${index}]`
        if (!isObject(part)) throw wrongType(where, 'an object', part)
        word(part['type'], `${where}.type`, types)
        return metered(string(part['text'], `${where}.text`), meter)
      })
      .join('\n\n')
  }
  const summary = texts('summary', ['summary_text'])
  const open = texts('content', ['reasoning_text', 'text'])
  const shown = raw['encrypted_content'] ?? null
  const text = open === '' ? summary : open
  if (shown === null) return { type: 'reasoning', part: { type: 'reasoning', text } }
  const { callId, ...signed } = readEncrypted(string(shown, `${at}.encrypted_content`))
  if (callId !== undefined && signed.signature !== undefined && signed.signedBy !== undefined)
    return { type: 'call-signature', callId, signature: signed.signature, signedBy: signed.signedBy }
  const part: ReasoningPart = { type: 'reasoning', text, ...signed }
  return {
    type: 'reasoning',
    part: signed.signedBy === 'openai' && typeof raw['id'] === 'string' ? { ...part, id: raw['id'] } : part,
  }
}
