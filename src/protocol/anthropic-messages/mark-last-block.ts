import type { CacheMarker, Message } from '../request.ts'
import { cacheMarker } from './decode-cache.ts'
import type { DecodeNotes } from './decode-notes.ts'

/**
 * What `cache_control` at the top of a body means: a marker on the last block that can carry one. A block with a marker of its own
 * keeps it.
 */
export function markLastBlock(messages: readonly Message[], value: unknown, notes: DecodeNotes): readonly Message[] {
  const cache = cacheMarker(value, 'cache_control', notes)
  if (cache === undefined) return messages
  for (let at = messages.length - 1; at >= 0; at--) {
    const marked = withMarker(messages[at] as Message, cache)
    if (marked !== undefined) return messages.with(at, marked)
  }
  return messages
}

function withMarker(message: Message, cache: CacheMarker): Message | undefined {
  switch (message.role) {
    case 'tool':
      return { ...message, cache: message.cache ?? cache }
    case 'assistant': {
      const { toolCalls = [] } = message
      const call = toolCalls.at(-1)
      if (call !== undefined)
        return { ...message, toolCalls: toolCalls.with(toolCalls.length - 1, { ...call, cache: call.cache ?? cache }) }
      const content = typeof message.content === 'string' ? textOf(message.content) : (message.content ?? [])
      const last = content.at(-1)
      if (last?.type !== 'text') return undefined
      return { ...message, content: content.with(content.length - 1, { ...last, cache: last.cache ?? cache }) }
    }
    case 'user': {
      const content = typeof message.content === 'string' ? textOf(message.content) : message.content
      const last = content.at(-1)
      if (last === undefined || last.type === 'audio') return undefined
      return { ...message, content: content.with(content.length - 1, { ...last, cache: last.cache ?? cache }) }
    }
    case 'system':
    case 'developer': {
      const content = typeof message.content === 'string' ? textOf(message.content) : message.content
      const last = content.at(-1)
      return last && { ...message, content: content.with(content.length - 1, { ...last, cache: last.cache ?? cache }) }
    }
    default:
      return message satisfies never
  }
}

function textOf(
  text: string,
): readonly { readonly type: 'text'; readonly text: string; readonly cache?: CacheMarker }[] {
  return text === '' ? [] : [{ type: 'text', text }]
}
