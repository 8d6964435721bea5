import { boundedArray, isObject, string, word, wrongType } from '../check.ts'
import type { Message, TextPart } from '../request.ts'
import { textPart } from './decode-blocks.ts'
import type { DecodeNotes } from './decode-notes.ts'

const MAX_BLOCKS = 10_000
/**
 * Claude Code's first system block: attribution for Anthropic's own books, with a checksum that differs in every request. In front of
 * a prompt it would keep every prefix cache, the provider's and the engines', from ever finding anything.
 */
const BILLING_HEADER = 'x-anthropic-billing-header:'

/** Decodes `system`, a string or text blocks, to the first message. */
export function decodeSystem(value: unknown, notes: DecodeNotes): Message | undefined {
  if (value === undefined || value === null) return undefined
  const content = systemContent(value, 'system', notes)
  return content.length === 0 ? undefined : { role: 'system', content }
}

/** The content of `system` and of messages of the role `system`. */
export function systemContent(value: unknown, at: string, notes: DecodeNotes): string | readonly TextPart[] {
  if (typeof value === 'string') return notes.metered(value)
  if (!Array.isArray(value)) throw wrongType(at, 'a string or an array of text blocks', value)
  const parts: TextPart[] = []
  for (const [index, raw] of boundedArray(value, at, 0, MAX_BLOCKS).entries()) {
    const where = `${at}[${index}]`
    if (!isObject(raw)) throw wrongType(where, 'an object', raw)
    word(raw['type'], `${where}.type`, ['text'] as const)
    if (string(raw['text'], `${where}.text`).startsWith(BILLING_HEADER)) notes.drop('system.x-anthropic-billing-header')
    else parts.push(textPart(raw, where, notes))
  }
  return parts
}
