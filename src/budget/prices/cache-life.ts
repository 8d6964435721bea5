import type { CacheMarker, ChatRequest, Message } from '../../protocol/request.ts'
import type { BoundTarget } from '../hold/prompt-rules.ts'

/** Longest time for which a request can make its provider cache the prompt, where writing to the cache has a price: `any` = not known. */
export type CacheLife = 'none' | '5m' | 'any'

/**
 * Anthropic bills a write to its cache by the markers of the request alone: for an hour only where one asks for that, and nothing where
 * there is none (prompt caching guide, "Pricing" and "1-hour cache duration"). All others are taken to bill whatever has a price: a
 * gateway in between may set markers of its own. So may fixed fields of the operator's, and fields that are passed on unread.
 */
export function cacheLifeOf(request: ChatRequest, target: BoundTarget): CacheLife {
  if (target.kind !== 'anthropic') return 'any'
  if (Object.keys(target.extraBody).length > 0 || Object.keys(request.passed).length > 0) return 'any'
  let life: CacheLife = 'none'
  for (const marker of markersOf(request)) {
    if (marker === undefined) continue
    if (marker.ttl !== '5m') return 'any'
    life = '5m'
  }
  return life
}

function* markersOf({ messages, tools }: ChatRequest): Generator<CacheMarker | undefined> {
  for (const tool of tools) if ('cache' in tool) yield tool.cache
  for (const message of messages) yield* markersIn(message)
}

function* markersIn(message: Message): Generator<CacheMarker | undefined> {
  if (message.role === 'tool') yield message.cache
  if (message.role === 'assistant') for (const call of message.toolCalls ?? []) yield call.cache
  if (typeof message.content === 'string' || message.content === null) return
  for (const part of message.content) if ('cache' in part) yield part.cache
}
