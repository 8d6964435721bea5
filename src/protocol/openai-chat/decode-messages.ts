import type {
  ImagePart,
  JsonObject,
  Message,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCall,
  UserPart,
} from '../request.ts'
import {
  array,
  boundedArray,
  invalid,
  isObject,
  missing,
  object,
  string,
  tooLong,
  word,
  wrongType,
  type Fields,
} from '../check.ts'
import { sealDetails } from '../reasoning-details.ts'
import { signatureIn } from './extra-content.ts'
import { signedThinkingIn } from './signed-thinking.ts'
import { audioPart, filePart, imagePart } from './decode-media.ts'

/** Far above what any agent sends; bounds the work for one request. */
const MAX_MESSAGES = 100_000
const MAX_PARTS = 200_000
const MAX_NAME = 64
/** What OpenAI accepts in `name`: no white space and none of `< | \ / >`. */
const NAME = /^[^\s<|\\/>]+$/
const MAX_TOOL_CALLS = 1024
const ROLES = ['developer', 'system', 'user', 'assistant', 'tool', 'function'] as const

/** Counts text while it is decoded, so that a prompt no model can take is refused before it is routed. */
export interface TextMeter {
  chars: number
}

/** Decodes `messages`. Unknown keys inside messages are left out; what servers themselves return is always accepted. */
export function decodeMessages(value: unknown, meter: TextMeter): readonly Message[] {
  const list = boundedArray(value, 'messages', 1, MAX_MESSAGES)
  const messages: Message[] = []
  /** Calls of the last assistant message that have not been answered; undefined = no call is open. */
  let open: Map<string, boolean> | undefined
  /** Id of the last deprecated `function_call`, which has none of its own. */
  let legacyCall: { readonly id: string; readonly name: string } | undefined
  for (const [index, raw] of list.entries()) {
    const at = `messages[${index}]`
    if (!isObject(raw)) throw wrongType(at, 'an object', raw)
    const role = word(raw['role'], `${at}.role`, ROLES)
    switch (role) {
      case 'system':
      case 'developer':
        messages.push({ role, content: textContent(raw, at, meter), ...nameOf(raw, at) })
        break
      case 'user':
        messages.push({ role, content: userContent(raw, at, meter), ...nameOf(raw, at) })
        break
      case 'assistant': {
        checkAnswered(open, at)
        const message = assistant(raw, at, index, meter)
        messages.push(message)
        open = message.toolCalls === undefined ? undefined : new Map(message.toolCalls.map((call) => [call.id, false]))
        legacyCall = isObject(raw['function_call']) ? message.toolCalls?.at(-1) : undefined
        continue
      }
      case 'tool': {
        const id = string(raw['tool_call_id'], `${at}.tool_call_id`)
        if (open === undefined) {
          throw invalid(
            `${at}.role`,
            "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          )
        }
        if (!open.has(id))
          throw invalid(`${at}.tool_call_id`, 'it is not the id of a call in the preceding tool_calls.')
        open.set(id, true)
        messages.push({ role, toolCallId: id, content: toolContent(raw, at, meter) })
        continue
      }
      case 'function': {
        const name = string(raw['name'], `${at}.name`)
        if (legacyCall === undefined || legacyCall.name !== name) {
          throw invalid(
            `${at}.role`,
            "messages with role 'function' must be a response to a preceding message with 'function_call'.",
          )
        }
        const content = raw['content'] === null ? '' : textContent(raw, at, meter)
        messages.push({ role: 'tool', toolCallId: legacyCall.id, content })
        open?.set(legacyCall.id, true)
        continue
      }
      default:
        role satisfies never
    }
    checkAnswered(open, at)
    open = undefined
  }
  return messages
}

/** Between calls and the next turn every call needs its result: providers refuse the transcript otherwise. */
function checkAnswered(open: ReadonlyMap<string, boolean> | undefined, at: string): void {
  if (open === undefined) return
  for (const [id, isAnswered] of open) {
    if (!isAnswered) {
      throw invalid(
        `${at}.role`,
        `an assistant message with 'tool_calls' must be followed by a tool message for each id; ${JSON.stringify(id.slice(0, 64))} has none.`,
      )
    }
  }
}

function nameOf(raw: Fields, at: string): { readonly name?: string } {
  const value = raw['name']
  if (value === undefined || value === null) return {}
  const name = string(value, `${at}.name`, MAX_NAME)
  if (!NAME.test(name)) throw invalid(`${at}.name`, 'expected a string that matches the pattern ^[^\\s<|\\\\/>]+$.')
  return { name }
}

/** `content` of system, developer and function messages: text, or text parts. */
function textContent(raw: Fields, at: string, meter: TextMeter): string | readonly TextPart[] {
  const content = present(raw, at)
  if (typeof content === 'string') return metered(content, meter)
  return parts(content, `${at}.content`, ['text'], (part, type, where) => textPart(part, type, where, meter))
}

function toolContent(raw: Fields, at: string, meter: TextMeter): string | readonly (TextPart | ImagePart)[] {
  const content = present(raw, at)
  if (typeof content === 'string') return metered(content, meter)
  return parts(content, `${at}.content`, ['text', 'image_url'], (part, type, where) =>
    type === 'text' ? textPart(part, type, where, meter) : imagePart(part, where),
  )
}

function userContent(raw: Fields, at: string, meter: TextMeter): string | readonly UserPart[] {
  const content = present(raw, at)
  if (typeof content === 'string') return metered(content, meter)
  return parts(content, `${at}.content`, ['text', 'image_url', 'input_audio', 'file'], (part, type, where) => {
    switch (type) {
      case 'text':
        return textPart(part, type, where, meter)
      case 'image_url':
        return imagePart(part, where)
      case 'input_audio':
        return audioPart(part, where)
      case 'file':
        return filePart(part, where)
      default:
        return type satisfies never
    }
  })
}

function present(raw: Fields, at: string): unknown {
  const { content } = raw as { content?: unknown }
  if (content === undefined) throw missing(`${at}.content`)
  if (typeof content !== 'string' && !Array.isArray(content)) {
    throw wrongType(`${at}.content`, 'a string or an array of content parts', content)
  }
  return content
}

function parts<Type extends string, Part>(
  value: unknown,
  at: string,
  types: readonly Type[],
  decode: (part: Fields, type: Type, where: string) => Part,
): readonly Part[] {
  const list = boundedArray(value, at, 1, MAX_PARTS)
  return list.map((raw, index) => {
    const where = `${at}[${index}]`
    if (!isObject(raw)) throw wrongType(where, 'an object', raw)
    return decode(raw, word(raw['type'], `${where}.type`, types), where)
  })
}

function textPart(part: Fields, _type: 'text', where: string, meter: TextMeter): TextPart {
  return { type: 'text', text: metered(string(part['text'], `${where}.text`), meter) }
}

function assistant(raw: Fields, at: string, index: number, meter: TextMeter): Extract<Message, { role: 'assistant' }> {
  const toolCalls = toolCallsOf(raw, at, index, meter)
  const { content } = raw as { content?: unknown }
  let decoded: string | readonly (TextPart | RefusalPart)[] | null = null
  if (typeof content === 'string') decoded = metered(content, meter)
  else if (Array.isArray(content)) {
    decoded = parts(content, `${at}.content`, ['text', 'refusal'], (part, type, where) =>
      type === 'text'
        ? textPart(part, type, where, meter)
        : { type: 'refusal', text: string(part['refusal'], `${where}.refusal`) },
    )
  } else if (content !== undefined && content !== null) {
    throw wrongType(`${at}.content`, 'a string or an array of content parts', content)
  }
  const refusal = typeof raw['refusal'] === 'string' ? raw['refusal'] : undefined
  const reasoning = reasoningOf(raw, meter)
  const audioId = isObject(raw['audio']) && typeof raw['audio']['id'] === 'string' ? raw['audio']['id'] : undefined
  if (
    content === undefined &&
    toolCalls === undefined &&
    refusal === undefined &&
    reasoning === undefined &&
    audioId === undefined
  ) {
    throw missing(`${at}.content`)
  }
  return {
    role: 'assistant',
    content: decoded,
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(audioId === undefined ? {} : { audioId }),
    ...nameOf(raw, at),
  }
}

/** `reasoning_content` (DeepSeek, vLLM before 0.12) or `reasoning` (vLLM, OpenRouter), as servers return it. */
function reasoningOf(raw: Fields, meter: TextMeter): readonly ReasoningPart[] | undefined {
  const text = raw['reasoning_content'] ?? raw['reasoning']
  const signature = signatureIn(raw)
  const parts: ReasoningPart[] = []
  // Blocks that were signed say what the plain text says, and more.
  if (raw['extra_content'] !== undefined) parts.push(...signedThinkingIn(raw))
  for (const part of parts) metered(part.text, meter)
  if (parts.length === 0 && typeof text === 'string' && text !== '')
    parts.push({ type: 'reasoning', text: metered(text, meter) })
  // Whether it was the thought's or the text's does not matter: it has to go back with one of the message's parts.
  if (signature !== undefined) parts.push({ type: 'reasoning', text: '', signature, signedBy: 'google' })
  const details = raw['reasoning_details']
  if (Array.isArray(details) && details.length > 0)
    parts.push({
      type: 'reasoning',
      text: '',
      signature: sealDetails(details.filter(isObject) as JsonObject[]),
      signedBy: 'openrouter',
    })
  return parts.length === 0 ? undefined : parts
}

function toolCallsOf(raw: Fields, at: string, index: number, meter: TextMeter): readonly ToolCall[] | undefined {
  const list = raw['tool_calls']
  if (list === undefined || list === null) return legacyCallOf(raw, at, index, meter)
  const calls = array(list, `${at}.tool_calls`)
  if (calls.length === 0) return undefined
  boundedArray(calls, `${at}.tool_calls`, 1, MAX_TOOL_CALLS)
  return calls.map((value, position) => {
    const where = `${at}.tool_calls[${position}]`
    if (!isObject(value)) throw wrongType(where, 'an object', value)
    const id = string(value['id'], `${where}.id`)
    const kind =
      value['type'] === undefined ? 'function' : word(value['type'], `${where}.type`, ['function', 'custom'] as const)
    const body = object(value[kind], `${where}.${kind}`)
    const name = string(body['name'], `${where}.${kind}.name`)
    if (name.length > MAX_NAME * 4) throw tooLong(`${where}.${kind}.name`, MAX_NAME * 4, name.length)
    const args =
      kind === 'custom'
        ? string(body['input'], `${where}.custom.input`)
        : string(body['arguments'], `${where}.function.arguments`)
    const signature = signatureIn(value)
    const call = { id, kind, name, arguments: metered(args, meter) }
    return signature === undefined ? call : { ...call, signature, signedBy: 'google' }
  })
}

/** The deprecated `function_call` of an assistant message, as a tool call with an id of our own. */
function legacyCallOf(raw: Fields, at: string, index: number, meter: TextMeter): readonly ToolCall[] | undefined {
  const call = raw['function_call']
  if (call === undefined || call === null) return undefined
  const body = object(call, `${at}.function_call`)
  return [
    {
      id: `call_function_${index}`,
      kind: 'function',
      name: string(body['name'], `${at}.function_call.name`),
      arguments: metered(string(body['arguments'], `${at}.function_call.arguments`), meter),
    },
  ]
}

function metered(text: string, meter: TextMeter): string {
  meter.chars += text.length
  return text
}
