/** What an answer leaves in a conversation by which it is known again when it comes back: ids of its calls, signatures, ids of sounds. */
import { hash } from 'node:crypto'
import type { AnswerEvent } from '../protocol/answer.ts'
import type { Message } from '../protocol/request.ts'

/** The conversation that a mark is of: two may hold the same id, as some engines count their calls from 0 in every answer. */
export type Scope = string

/** Characters of the first user text that tell conversations apart; the length of all of it goes in, too. */
const OPENING_CHARS = 512

/** A conversation keeps its task and its first words, whatever is appended to it. */
export function scopeOf(taskId: string | undefined, messages: readonly Message[]): Scope {
  const first = messages.find(({ role }) => role === 'user')
  return `${taskId ?? ''}\n${first === undefined ? '' : openingOf(first.content)}`
}

function openingOf(content: Message['content']): string {
  if (typeof content === 'string') return `${content.length} ${content.slice(0, OPENING_CHARS)}`
  const text = content?.find((part) => part.type === 'text')?.text ?? ''
  return `${text.length} ${text.slice(0, OPENING_CHARS)}`
}

/**
 * Marks of a call: first within its conversation, then by its id alone, for a conversation whose beginning was cut off meanwhile. Marks
 * are digests: as long as each other whatever a provider's ids are like, and nothing of a conversation is kept with them.
 */
export function marksOfCall(id: string, scope: Scope): readonly [string, string] {
  return [digest(`call\n${id}\n${scope}`), digest(`call\n${id}`)]
}

/** @param opaque A signature, or redacted thinking. */
export function markOfSignature(opaque: string): string {
  return digest(`signature\n${opaque}`)
}

export function markOfAudio(id: string): string {
  return digest(`audio\n${id}`)
}

/** The marks that one event of an answer leaves; most leave none. */
export function marksOfEvent(event: AnswerEvent, scope: () => Scope): readonly string[] {
  switch (event.type) {
    case 'tool-call': {
      const signed = event.signature === undefined ? NONE : [markOfSignature(event.signature)]
      return event.id === undefined ? signed : [...marksOfCall(event.id, scope()), ...signed]
    }
    case 'reasoning': {
      const opaque = event.signature ?? event.redacted
      return opaque === undefined ? NONE : [markOfSignature(opaque)]
    }
    case 'audio':
      return typeof event.audio['id'] === 'string' ? [markOfAudio(event.audio['id'])] : NONE
    case 'start':
    case 'text':
    case 'refusal':
    case 'logprobs':
    case 'annotations':
    case 'finish':
    case 'usage':
      return NONE
    default:
      return event satisfies never
  }
}

const NONE: readonly string[] = []

function digest(text: string): string {
  return hash('sha1', text, 'base64url')
}
