import { isObject, word, wrongType } from '../check.ts'
import type { CacheMarker } from '../request.ts'
import type { DecodeNotes } from './decode-notes.ts'

/** A `cache_control`, wherever it may stand. Five minutes where it says nothing else. */
export function cacheMarker(value: unknown, at: string, notes: DecodeNotes): CacheMarker | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw wrongType(at, 'an object', value)
  word(value['type'], `${at}.type`, ['ephemeral'] as const)
  const { ttl } = value as { ttl?: unknown }
  notes.hint('cache_control')
  return { ttl: ttl === undefined || ttl === null ? '5m' : word(ttl, `${at}.ttl`, ['5m', '1h'] as const) }
}

/** The same as a property to spread into a part. */
export function cacheOf(
  block: Readonly<Record<string, unknown>>,
  where: string,
  notes: DecodeNotes,
): { readonly cache?: CacheMarker } {
  const cache = cacheMarker(block['cache_control'], `${where}.cache_control`, notes)
  return cache === undefined ? {} : { cache }
}
