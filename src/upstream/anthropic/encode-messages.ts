import type { CacheMarker, Message, ReasoningPart, TextPart, ToolCall, UserPart } from '../../protocol/request.ts'
import { encodeFile, encodeImage } from './encode-media.ts'
import { toolIdFor } from './tool-ids.ts'
import { unsupported } from './unsupported.ts'

export type Block = Record<string, unknown>
export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Block[]
}
export interface EncodedMessages {
  readonly system: readonly Block[]
  readonly messages: readonly Turn[]
}

/** What a conversation begins with whose first word is the assistant's: the API wants a user's. */
const OPENING = '(The conversation begins.)'

/**
 * Messages as Anthropic's turns. Leading system texts are the top-level `system`; later ones, for which there is no place, become
 * user text in `<system>` where they stood. Turns of one role are joined, tool results before all else in theirs, as the API asks.
 * Empty texts, which the API refuses, are left out. What is lost is named in `dropped`.
 */
export function encodeMessages(
  messages: readonly Message[],
  hasPrefill: boolean,
  dropped: Set<string>,
): EncodedMessages {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  // Of system texts alone none can go to the top: there would be no turn left.
  const lead = Math.max(first, 0)
  const system = messages
    .slice(0, lead)
    .flatMap((message) => textBlocks(message.content as string | readonly TextPart[]))
  const turns: Turn[] = []
  messages.forEach((message, at) => {
    if ('name' in message && message.name !== undefined) dropped.add('messages.name')
    if (at < lead) return
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const blocks = blocksOf(message, `messages[${at}]`, dropped)
    if (blocks.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: blocks })
  })
  if (turns.length === 0) throw unsupported('messages', 'Every message is empty; send at least one with text.')
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', content: [{ type: 'text', text: OPENING }] })
  for (const turn of turns) if (turn.role === 'user') resultsFirst(turn.content)
  endOf(turns, hasPrefill, messages.length - 1, dropped)
  return { system, messages: turns }
}

function blocksOf(message: Message, at: string, dropped: Set<string>): Block[] {
  switch (message.role) {
    case 'system':
    case 'developer':
      return textBlocks(message.content).map((block) => ({
        ...block,
        text: `<system>\n${String(block['text'])}\n</system>`,
      }))
    case 'user':
      return typeof message.content === 'string'
        ? textBlocks(message.content)
        : userBlocks(message.content, at, dropped)
    case 'tool': {
      const content =
        typeof message.content === 'string' ? textBlocks(message.content) : userBlocks(message.content, at, dropped)
      return [
        {
          type: 'tool_result',
          tool_use_id: toolIdFor(message.toolCallId),
          ...(content.length === 0 ? {} : { content }),
          ...(message.isError === true ? { is_error: true } : {}),
          ...cached(message.cache),
        },
      ]
    }
    case 'assistant':
      return assistantBlocks(message, at, dropped)
    default:
      return message satisfies never
  }
}

function assistantBlocks(message: Extract<Message, { role: 'assistant' }>, at: string, dropped: Set<string>): Block[] {
  const blocks: Block[] = []
  for (const part of message.reasoning ?? []) {
    const block = thinkingBlock(part)
    if (block === undefined) dropped.add('messages.reasoning')
    else blocks.push(block)
  }
  const { content } = message
  if (typeof content === 'string') blocks.push(...textBlocks(content))
  else
    for (const part of content ?? [])
      if (part.text !== '') blocks.push(textBlock(part.text, 'cache' in part ? part.cache : undefined))
  // What the model declined to do is what it said.
  if (message.refusal !== undefined && message.refusal !== '') blocks.push(textBlock(message.refusal))
  if (message.audioId !== undefined)
    throw unsupported(`${at}.audio`, 'An answer in sound is known to its own provider alone.')
  for (const [index, call] of (message.toolCalls ?? []).entries())
    blocks.push(callBlock(call, `${at}.tool_calls[${index}]`, dropped))
  return blocks
}

/** Thinking that Anthropic signed goes back unchanged; it refuses any other, which is left out. */
function thinkingBlock(part: ReasoningPart): Block | undefined {
  if (part.signedBy !== 'anthropic') return undefined
  if (part.redacted !== undefined) return { type: 'redacted_thinking', data: part.redacted }
  if (part.signature === undefined) return undefined
  return { type: 'thinking', thinking: part.text, signature: part.signature }
}

function callBlock(call: ToolCall, at: string, dropped: Set<string>): Block {
  if (call.kind === 'custom') throw unsupported(at, 'Calls of custom tools cannot be told to it; use function tools.')
  // Another provider's signature of a call means nothing here.
  if (call.signature !== undefined) dropped.add('messages.signature')
  return {
    type: 'tool_use',
    id: toolIdFor(call.id),
    name: call.name,
    input: argumentsOf(call.arguments),
    ...cached(call.cache),
  }
}

/** Arguments as the object that the API wants; what is none (a call that was cut, a bare value) is kept as text inside of one. */
function argumentsOf(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Kept below as it is.
  }
  return { arguments: text }
}

function userBlocks(parts: readonly UserPart[], at: string, dropped: Set<string>): Block[] {
  return parts.flatMap((part, index): Block[] => {
    const param = `${at}.content[${index}]`
    switch (part.type) {
      case 'text':
        return part.text === '' ? [] : [textBlock(part.text, part.cache)]
      case 'image':
        if (part.detail !== undefined && part.detail !== 'auto') dropped.add('messages.image_url.detail')
        return [{ ...encodeImage(part, param), ...cached(part.cache) }]
      case 'file':
        return [{ ...encodeFile(part, param), ...cached(part.cache) }]
      case 'audio':
        throw unsupported(param, 'It does not hear; send a transcript.')
      default:
        return part satisfies never
    }
  })
}

function textBlocks(content: string | readonly TextPart[]): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [textBlock(content)]
  return content.flatMap((part) => (part.text === '' ? [] : [textBlock(part.text, part.cache)]))
}

function textBlock(text: string, cache?: CacheMarker): Block {
  return { type: 'text', text, ...cached(cache) }
}

/** Five minutes is what the API takes without a time. */
export function cached(cache: CacheMarker | undefined): Block {
  if (cache === undefined) return {}
  return { cache_control: cache.ttl === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' } }
}

function resultsFirst(blocks: Block[]): void {
  const results = blocks.filter((block) => block['type'] === 'tool_result')
  if (results.length === 0) return
  const others = blocks.filter((block) => block['type'] !== 'tool_result')
  blocks.splice(0, blocks.length, ...results, ...others)
}

/** A last message of the assistant is the beginning of the answer: the API refuses blanks at its end, newer models all of it. */
function endOf(turns: Turn[], hasPrefill: boolean, at: number, dropped: Set<string>): void {
  const last = turns.at(-1)
  if (last?.role !== 'assistant') return
  if (!hasPrefill)
    throw unsupported(
      `messages[${at}]`,
      'It does not go on with an answer that was begun; end with a message of the user.',
    )
  const block = last.content.at(-1)
  if (block?.['type'] !== 'text') return
  const whole = String(block['text'])
  const text = whole.trimEnd()
  if (text === whole) return
  dropped.add('messages.content')
  if (text === '') last.content.pop()
  else block['text'] = text
  if (last.content.length === 0) turns.pop()
}
