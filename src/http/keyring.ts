import { hash, timingSafeEqual } from 'node:crypto'
import type { Caller } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'

export interface KeyEntry {
  /** SHA-256 of the key; the key itself is not kept. */
  readonly sha256: Buffer
  readonly caller: Caller
  readonly mayReadMetrics: boolean
}

/** SHA-256 of a presented or configured key. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

const REFUSED = 'The API key is missing or unknown. Send it as "Authorization: Bearer KEY" or "x-api-key: KEY".'

/** The keys that may use this service. Without any, everybody who can reach the (loopback) socket is the anonymous caller. */
export class Keyring {
  readonly #entries: readonly KeyEntry[]
  readonly #anonymous: Caller
  readonly #adminSha256: Buffer | undefined

  constructor(entries: readonly KeyEntry[], anonymous: Caller, adminKey: Buffer | undefined) {
    this.#entries = entries
    this.#anonymous = anonymous
    this.#adminSha256 = adminKey
  }

  get isOpen(): boolean {
    return this.#entries.length === 0
  }

  /** The caller of a request. Throws `invalid_api_key`, with the same words whatever was wrong. */
  authenticate(authorization: string | undefined, apiKey: string | undefined): Caller {
    if (this.isOpen) return this.#anonymous
    const entry = this.#find(presentedKey(authorization, apiKey))
    if (entry === undefined) throw new SwitchyardError('invalid_api_key', REFUSED)
    return entry.caller
  }

  /** Whether `/metrics` may be read with these credentials (admin key, or a key with `metrics: true`). */
  mayReadMetrics(authorization: string | undefined, apiKey: string | undefined): boolean {
    const presented = presentedKey(authorization, apiKey)
    if (presented === undefined) return false
    const isAdmin = this.#adminSha256 !== undefined && timingSafeEqual(this.#adminSha256, hashKey(presented))
    return isAdmin || this.#find(presented)?.mayReadMetrics === true
  }

  /** Compares with every key in constant time, so that the answer's time says nothing about how far a guess got. */
  #find(presented: string | undefined): KeyEntry | undefined {
    if (presented === undefined) return undefined
    const sha256 = hashKey(presented)
    let found: KeyEntry | undefined
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.sha256, sha256)) found = entry
    }
    return found
  }
}

/** RFC 6750 bearer token (scheme in any case), or the `x-api-key` header that Anthropic's clients send. */
function presentedKey(authorization: string | undefined, apiKey: string | undefined): string | undefined {
  if (authorization === undefined) return apiKey
  const space = authorization.indexOf(' ')
  if (space < 0 || authorization.slice(0, space).toLowerCase() !== 'bearer') return undefined
  return authorization.slice(space + 1).trim()
}
