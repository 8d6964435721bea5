import { timingSafeEqual } from 'node:crypto'
import type { Caller } from '../gateway/steps.ts'
import { hashKey } from '../shared/api-key.ts'
import { SwitchyardError } from '../shared/errors.ts'

export interface KeyEntry {
  /** SHA-256 of the key; the key itself is not kept. */
  readonly sha256: Uint8Array
  readonly caller: Caller
  readonly mayReadMetrics: boolean
  /** The moment from which the key is refused, milliseconds since 1970; Infinity = never. */
  readonly endsAtMs: number
}

export interface KeyringOptions {
  readonly entries: readonly KeyEntry[]
  /** Who everybody is where no key is needed; undefined = a key is needed, even if none is valid. */
  readonly anonymous: Caller | undefined
  readonly adminSha256: Uint8Array | undefined
  /** Wall clock, milliseconds since 1970. */
  readonly wallNow: () => number
}

const REFUSED = 'The API key is missing or unknown. Send it as "Authorization: Bearer KEY" or "x-api-key: KEY".'
const ADMIN_ONLY = 'This needs the admin key (`server.adminKey`, or the file admin.key in the data directory).'

/**
 * The keys that may use this service. A keyring never changes: another set of keys is another keyring, so that whoever remembers an
 * answer of one may do so for as long as the runtime has this same object.
 *
 * Keys are looked up by their whole SHA-256 digest. How long a lookup takes may say something about the digest of what was presented,
 * never about a key: whoever guesses cannot choose a digest's digits without inverting SHA-256, and knowing a digest does not help to find
 * a key of 256 random bits (the case of a secret in a plain index is another:
 * https://paragonie.com/blog/2017/02/split-tokens-token-based-authentication-protocols-without-side-channels). A shortened digest or
 * a beginning of the key must never be an index: two callers would share one entry (CVE-2026-35030: an authentication cache that
 * was keyed by the first 20 characters of the token).
 */
export class Keyring {
  readonly #entries: ReadonlyMap<string, KeyEntry>
  readonly #options: KeyringOptions

  constructor(options: KeyringOptions) {
    this.#options = options
    this.#entries = new Map(options.entries.map((entry) => [digestText(entry.sha256), entry]))
  }

  /** True where no key is needed. */
  get isOpen(): boolean {
    return this.#options.anonymous !== undefined
  }

  /** The caller of a request. Throws `invalid_api_key`, with the same words whatever was wrong. */
  authenticate(authorization: string | undefined, apiKey: string | undefined): Caller {
    const caller = this.callerOf(authorization, apiKey)
    if (caller === undefined) throw new SwitchyardError('invalid_api_key', REFUSED)
    return caller
  }

  /** Whose credentials these are; undefined = nobody's. */
  callerOf(authorization: string | undefined, apiKey: string | undefined): Caller | undefined {
    if (this.#options.anonymous !== undefined) return this.#options.anonymous
    const presented = presentedKey(authorization, apiKey)
    return presented === undefined ? undefined : this.#find(hashKey(presented))?.caller
  }

  /** Whether `/metrics` may be read with these credentials (admin key, or a key with `metrics: true`). */
  mayReadMetrics(authorization: string | undefined, apiKey: string | undefined): boolean {
    const presented = presentedKey(authorization, apiKey)
    if (presented === undefined) return false
    const sha256 = hashKey(presented)
    return this.#isAdmin(sha256) || this.#find(sha256)?.mayReadMetrics === true
  }

  /** Whether these are the admin's credentials. */
  isAdmin(authorization: string | undefined, apiKey: string | undefined): boolean {
    const presented = presentedKey(authorization, apiKey)
    return presented !== undefined && this.#isAdmin(hashKey(presented))
  }

  /** Throws unless these are the admin's credentials: `admin_only` for a key of somebody else, `invalid_api_key` for none. */
  requireAdmin(authorization: string | undefined, apiKey: string | undefined): void {
    const presented = presentedKey(authorization, apiKey)
    const sha256 = presented === undefined ? undefined : hashKey(presented)
    if (sha256 !== undefined && this.#isAdmin(sha256)) return
    const isKnown = sha256 !== undefined && this.#find(sha256) !== undefined
    throw new SwitchyardError(isKnown ? 'admin_only' : 'invalid_api_key', isKnown ? ADMIN_ONLY : REFUSED)
  }

  #isAdmin(sha256: Uint8Array): boolean {
    const { adminSha256 } = this.#options
    return adminSha256 !== undefined && timingSafeEqual(adminSha256, sha256)
  }

  /** The entry of a key that has not ended. */
  #find(sha256: Buffer): KeyEntry | undefined {
    const entry = this.#entries.get(digestText(sha256))
    if (entry === undefined || !timingSafeEqual(entry.sha256, sha256)) return undefined
    return this.#options.wallNow() < entry.endsAtMs ? entry : undefined
  }
}

/** All 32 bytes of a digest as a map's key, one character each. */
function digestText(sha256: Uint8Array): string {
  return Buffer.from(sha256.buffer, sha256.byteOffset, sha256.byteLength).toString('latin1')
}

/** RFC 6750 bearer token (scheme in any case), or the `x-api-key` header that Anthropic's clients send. */
function presentedKey(authorization: string | undefined, apiKey: string | undefined): string | undefined {
  if (authorization === undefined) return apiKey
  const space = authorization.indexOf(' ')
  if (space < 0 || authorization.slice(0, space).toLowerCase() !== 'bearer') return undefined
  return authorization.slice(space + 1).trim()
}
