import type { NanoUsd } from '../shared/money.ts'

/** What one key may use; undefined = no limit. */
export interface KeyLimits {
  readonly maxUsdPerDay: NanoUsd | undefined
  readonly maxUsdPerMonth: NanoUsd | undefined
  readonly requestsPerMinute: number | undefined
  readonly tokensPerMinute: number | undefined
  /** Calls at the same time. */
  readonly concurrency: number | undefined
}

/**
 * One secret of a made key. A rotated key has several with the same name, of which the older ones are revoked, at once or when their
 * grace ends. Times are milliseconds since 1970.
 */
export interface KeyRecord {
  readonly id: string
  readonly name: string
  /** The first 8 characters after `sk-sy-`. */
  readonly prefix: string
  /** SHA-256 of the secret, which itself is kept nowhere. */
  readonly sha256: Uint8Array
  readonly tenant: string
  /** Whose key it is, for reports and erasure. */
  readonly user: string | undefined
  readonly limits: KeyLimits
  /** Routes, models and aliases that it may use; undefined = all. */
  readonly models: readonly string[] | undefined
  readonly canTopUp: boolean
  /** May read `/metrics`. */
  readonly metrics: boolean
  /** Its responses of the Responses API may be stored. */
  readonly store: boolean
  readonly createdAtMs: number
  readonly expiresAtMs: number | undefined
  /** From then on it is refused; in the future while the grace of a rotation runs. */
  readonly revokedAtMs: number | undefined
  /** Id of the record that this secret replaced. */
  readonly rotatedFrom: string | undefined
}

/** The moment from which a secret is refused; Infinity = it is never. */
export function endOf(record: Pick<KeyRecord, 'expiresAtMs' | 'revokedAtMs'>): number {
  return Math.min(record.expiresAtMs ?? Infinity, record.revokedAtMs ?? Infinity)
}
