import { hash, randomBytes } from 'node:crypto'

/** What made keys start with, so that secret scanners and people know one when they see it. */
export const API_KEY_PREFIX = 'sk-sy-'
const SECRET_BYTES = 32
const VISIBLE_CHARACTERS = 8

export interface NewApiKey {
  /** The key itself: shown once, never stored or logged. */
  readonly secret: string
  /** The first 8 characters after `sk-sy-` (48 of 256 bits): names a key in lists and says nothing useful about the rest. */
  readonly prefix: string
  readonly sha256: Buffer
}

/** A new key of 256 random bits. */
export function newApiKey(): NewApiKey {
  const secret = API_KEY_PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
  return { secret, prefix: visiblePrefix(secret), sha256: hashKey(secret) }
}

/**
 * SHA-256 of a presented or configured key. One round is enough for what has 256 random bits: nobody can guess it, and a slow hash
 * would be paid by every request.
 */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** The visible prefix in what a person typed: the prefix itself, the prefix with `sk-sy-`, or a whole key. */
export function visiblePrefix(text: string): string {
  const rest = text.startsWith(API_KEY_PREFIX) ? text.slice(API_KEY_PREFIX.length) : text
  return rest.slice(0, VISIBLE_CHARACTERS)
}
