import {
  boundedArray,
  invalid,
  isObject,
  missing,
  object,
  refuse,
  string,
  word,
  wrongType,
  type Fields,
} from '../check.ts'
import type { ImagePart, Json, Message, TextPart, UserPart } from '../request.ts'
import { AssistantTurn } from './assistant-turn.ts'
import { blocksOf, documentParts, imagePart, searchResultPart, textPart } from './decode-blocks.ts'
import { cacheOf } from './decode-cache.ts'
import type { DecodeNotes } from './decode-notes.ts'
import { decodeReasoning } from './decode-reasoning.ts'
import { systemContent } from './decode-system.ts'
import { inputGrowth } from './input-growth.ts'
import { readToolId } from './tool-ids.ts'

/** Far above what any agent sends; bounds the work for one request. */
const MAX_MESSAGES = 100_000
const MAX_NAME = 256
const ROLES = ['user', 'assistant', 'system'] as const
const USER_BLOCKS = ['text', 'image', 'document', 'search_result', 'tool_result'] as const
const RESULT_BLOCKS = ['text', 'image', 'document', 'search_result', 'tool_reference'] as const
const ASSISTANT_BLOCKS = ['text', 'thinking', 'redacted_thinking', 'tool_use'] as const

/** Decodes `messages`. Messages of one role in a row are one turn, as the API says. */
export function decodeMessages(value: unknown, notes: DecodeNotes): readonly Message[] {
  const conversation = new Conversation(notes)
  for (const [index, raw] of boundedArray(value, 'messages', 1, MAX_MESSAGES).entries()) {
    const at = `messages[${index}]`
    if (!isObject(raw)) throw wrongType(at, 'an object', raw)
    const role = word(raw['role'], `${at}.role`, ROLES)
    const { content } = raw as { content?: unknown }
    if (content === undefined) throw missing(`${at}.content`)
    switch (role) {
      case 'user':
        conversation.user(content, `${at}.content`)
        break
      case 'assistant':
        conversation.assistant(content, `${at}.content`)
        break
      case 'system':
        conversation.system(content, `${at}.content`)
        break
      default:
        role satisfies never
    }
  }
  return conversation.end()
}

class Conversation {
  readonly #notes: DecodeNotes
  readonly #messages: Message[] = []
  /** The assistant's turn that is being read, or was the last. */
  #turn: AssistantTurn | undefined
  /** Calls of that turn which have no result yet, and where each stands; undefined = the turn is still open, or had none. */
  #unanswered: Map<string, string> | undefined
  /** What the user says beside the results; these come first, as models know it from no other order. */
  #said: Message[] = []

  constructor(notes: DecodeNotes) {
    this.#notes = notes
  }

  user(content: unknown, at: string): void {
    this.#closeAssistant()
    if (typeof content === 'string') {
      this.#said.push({ role: 'user', content: this.#notes.metered(content) })
      return
    }
    const parts: UserPart[] = []
    for (const { block, type: kind, where } of blocksOf(content, at, USER_BLOCKS)) {
      switch (kind) {
        case 'text':
          parts.push(textPart(block, where, this.#notes))
          break
        case 'image':
          parts.push(imagePart(block, where, this.#notes))
          break
        case 'document':
          parts.push(...documentParts(block, where, this.#notes))
          break
        case 'search_result':
          parts.push(searchResultPart(block, where, this.#notes))
          break
        case 'tool_result':
          this.#messages.push(this.#result(block, where))
          break
        default:
          kind satisfies never
      }
    }
    if (parts.length > 0) this.#said.push({ role: 'user', content: parts })
    else if (Array.isArray(content) && content.length === 0) throw emptyContent(at)
  }

  assistant(content: unknown, at: string): void {
    this.#closeUser()
    this.#turn ??= new AssistantTurn()
    this.#turn.next()
    if (typeof content === 'string') {
      this.#turn.text({ type: 'text', text: this.#notes.metered(content) })
      return
    }
    for (const { block, type: kind, where } of blocksOf(content, at, ASSISTANT_BLOCKS)) {
      switch (kind) {
        case 'text':
          this.#turn.text(textPart(block, where, this.#notes))
          break
        case 'thinking':
        case 'redacted_thinking': {
          const read = decodeReasoning(block, kind, where, this.#notes)
          if (read.kind === 'part') this.#turn.reasoning(read.part)
          else this.#turn.callSignature(read.signature, read.signedBy)
          break
        }
        case 'tool_use':
          this.#call(block, where, this.#turn)
          break
        default:
          kind satisfies never
      }
    }
  }

  system(content: unknown, at: string): void {
    this.#closeAssistant()
    this.#closeUser()
    this.#messages.push({ role: 'system', content: systemContent(content, at, this.#notes) })
  }

  end(): readonly Message[] {
    // A conversation may end with the assistant, even with its calls: then nothing has been answered yet.
    if (this.#turn !== undefined) this.#closeAssistant()
    else this.#closeUser()
    return this.#messages
  }

  #closeAssistant(): void {
    if (this.#turn === undefined) return
    this.#messages.push(...this.#turn.messages())
    const { calls } = this.#turn
    this.#turn = undefined
    this.#unanswered = calls.size === 0 ? undefined : new Map(calls)
  }

  #closeUser(): void {
    const [first] = this.#unanswered ?? []
    if (first !== undefined) {
      throw invalid(
        first[1],
        `each tool_use needs a tool_result in the next message; ${JSON.stringify(first[0].slice(0, 64))} has none.`,
      )
    }
    this.#unanswered = undefined
    this.#messages.push(...this.#said)
    this.#said = []
  }

  #call(block: Fields, where: string, turn: AssistantTurn): void {
    const id = readToolId(string(block['id'], `${where}.id`))
    if (id === '') throw invalid(`${where}.id`, 'it is empty.')
    if (turn.calls.has(id)) throw invalid(`${where}.id`, 'another tool_use of this turn has the same id.')
    const name = string(block['name'], `${where}.name`, MAX_NAME)
    const input = object(block['input'], `${where}.input`)
    const text = JSON.stringify(input)
    this.#notes.inputGrowth += inputGrowth(input as Json, text)
    turn.call(
      {
        id,
        kind: 'function',
        name,
        arguments: this.#notes.metered(text),
        ...cacheOf(block, where, this.#notes),
      },
      `${where}.id`,
    )
  }

  #result(block: Fields, where: string): Message {
    const id = readToolId(string(block['tool_use_id'], `${where}.tool_use_id`))
    if (this.#unanswered?.delete(id) !== true) {
      throw invalid(
        `${where}.tool_use_id`,
        'it is not the id of a tool_use in the message before that has no result yet.',
      )
    }
    const { is_error: isError } = block as { is_error?: unknown }
    if (isError !== undefined && isError !== null && typeof isError !== 'boolean')
      throw wrongType(`${where}.is_error`, 'a boolean', isError)
    if (isError === true) this.#notes.hint('is_error')
    return {
      role: 'tool',
      toolCallId: id,
      content: this.#resultContent(block['content'], `${where}.content`),
      ...(typeof isError === 'boolean' ? { isError } : {}),
      ...cacheOf(block, where, this.#notes),
    }
  }

  #resultContent(content: unknown, at: string): string | readonly (TextPart | ImagePart)[] {
    if (content === undefined || content === null) return ''
    if (typeof content === 'string') return this.#notes.metered(content)
    const parts: (TextPart | ImagePart)[] = []
    for (const { block, type: kind, where } of blocksOf(content, at, RESULT_BLOCKS)) {
      switch (kind) {
        case 'text':
          parts.push(textPart(block, where, this.#notes))
          break
        case 'image':
          parts.push(imagePart(block, where, this.#notes))
          break
        case 'search_result':
          parts.push(searchResultPart(block, where, this.#notes))
          break
        case 'document':
          parts.push(...documentParts(block, where, this.#notes).map((part) => inResult(part, where)))
          break
        case 'tool_reference':
          // The tool itself is offered with the others, whether it was to be loaded later or not.
          parts.push({ type: 'text', text: this.#notes.metered(string(block['tool_name'], `${where}.tool_name`)) })
          break
        default:
          kind satisfies never
      }
    }
    return parts.length === 0 ? '' : parts
  }
}

function inResult(part: UserPart, where: string): TextPart | ImagePart {
  if (part.type === 'text' || part.type === 'image') return part
  throw refuse(
    'unsupported_value',
    `${where}.source.type`,
    'A PDF inside a tool_result is not supported here: send its text, or send it as a block of its own beside the result.',
  )
}

function emptyContent(at: string): Error {
  return refuse('empty_array', at, `Invalid '${at}': empty array. Expected at least one content block.`)
}
