import { formatUsd, type NanoUsd } from '../shared/money.ts'
import { API_KEY_PREFIX } from '../shared/api-key.ts'
import { endOf, type KeyLimits, type KeyRecord } from '../store/key-record.ts'

/** A key of the configuration file, as far as it may be shown. */
export interface StaticKey {
  readonly name: string
  readonly tenant: string
  readonly limits: KeyLimits
  readonly models: readonly string[] | undefined
  readonly canTopUp: boolean
  readonly metrics: boolean
  readonly store: boolean
  readonly expiresAtMs: number | undefined
}

/** `replaced` = valid for the rest of a rotation's grace. */
export type KeyState = 'active' | 'replaced' | 'expired' | 'revoked'

/** A key as lists show it: everything but the secret and its hash. Dollars as decimals, with the integer beside; times in ISO 8601. */
export interface ShownKey {
  readonly name: string
  readonly source: 'made' | 'file'
  /** What the key starts with; null for a key of the file. */
  readonly prefix: string | null
  readonly id: string | null
  readonly tenant: string
  readonly user: string | null
  readonly state: KeyState
  readonly max_usd_per_day: number | null
  readonly max_nano_usd_per_day: number | null
  readonly max_usd_per_month: number | null
  readonly max_nano_usd_per_month: number | null
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
  readonly concurrency: number | null
  readonly models: readonly string[] | null
  readonly can_top_up: boolean
  readonly metrics: boolean
  /** Whether its responses of the Responses API may be stored. */
  readonly store: boolean
  readonly created_at: string | null
  readonly expires_at: string | null
  readonly revoked_at: string | null
  readonly rotated_from: string | null
}

/** A made key for a list, as it stands at a moment (milliseconds since 1970). */
export function showKey(record: KeyRecord, nowMs: number): ShownKey {
  return {
    name: record.name,
    source: 'made',
    prefix: API_KEY_PREFIX + record.prefix,
    id: record.id,
    tenant: record.tenant,
    user: record.user ?? null,
    state: stateOf(record, nowMs),
    ...shared(record),
    created_at: iso(record.createdAtMs),
    revoked_at: iso(record.revokedAtMs),
    rotated_from: record.rotatedFrom ?? null,
  }
}

/** A key of the file for a list, as it stands at a moment (milliseconds since 1970). */
export function showStaticKey(key: StaticKey, nowMs: number): ShownKey {
  return {
    name: key.name,
    source: 'file',
    prefix: null,
    id: null,
    tenant: key.tenant,
    user: null,
    state: stateOf({ expiresAtMs: key.expiresAtMs, revokedAtMs: undefined }, nowMs),
    ...shared(key),
    created_at: null,
    revoked_at: null,
    rotated_from: null,
  }
}

function stateOf(key: Pick<KeyRecord, 'expiresAtMs' | 'revokedAtMs'>, nowMs: number): KeyState {
  if (key.revokedAtMs !== undefined && key.revokedAtMs <= nowMs) return 'revoked'
  if (endOf(key) <= nowMs) return 'expired'
  return key.revokedAtMs === undefined ? 'active' : 'replaced'
}

type Shared = Pick<StaticKey, 'limits' | 'models' | 'canTopUp' | 'metrics' | 'store' | 'expiresAtMs'>

function shared({
  limits,
  models,
  canTopUp,
  metrics,
  store,
  expiresAtMs,
}: Shared): Omit<
  ShownKey,
  'name' | 'source' | 'prefix' | 'id' | 'tenant' | 'user' | 'state' | 'created_at' | 'revoked_at' | 'rotated_from'
> {
  return {
    max_usd_per_day: dollars(limits.maxUsdPerDay),
    max_nano_usd_per_day: limits.maxUsdPerDay ?? null,
    max_usd_per_month: dollars(limits.maxUsdPerMonth),
    max_nano_usd_per_month: limits.maxUsdPerMonth ?? null,
    requests_per_minute: limits.requestsPerMinute ?? null,
    tokens_per_minute: limits.tokensPerMinute ?? null,
    concurrency: limits.concurrency ?? null,
    models: models ?? null,
    can_top_up: canTopUp,
    metrics,
    store,
    expires_at: iso(expiresAtMs),
  }
}

function dollars(amount: NanoUsd | undefined): number | null {
  return amount === undefined ? null : Number(formatUsd(amount))
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
