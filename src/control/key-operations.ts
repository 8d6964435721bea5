/** What an operator can do with keys; the same code behind the control socket, HTTP and a command that runs alone. */
import { z } from 'zod'
import { API_KEY_PREFIX, newApiKey, visiblePrefix, type NewApiKey } from '../shared/api-key.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { usdToNano } from '../shared/money.ts'
import { endOf, type KeyRecord } from '../store/key-record.ts'
import type { KeyStore } from '../store/key-store.ts'
import { operation, type HttpRoute, type Operation } from './operations.ts'
import { showKey, showStaticKey, type ShownKey, type StaticKey } from './show-key.ts'

/** Longest time that a replaced secret may stay valid: 30 days. */
const MAX_GRACE_SECONDS = 30 * 24 * 60 * 60

export type KeyOperationName = 'keys.create' | 'keys.list' | 'keys.revoke' | 'keys.rotate'

/** Where key operations are found over HTTP. */
export const KEY_ROUTES: Readonly<Record<KeyOperationName, HttpRoute>> = {
  'keys.create': { method: 'POST', path: '/keys' },
  'keys.list': { method: 'GET', path: '/keys' },
  'keys.revoke': { method: 'DELETE', path: '/keys/:key' },
  'keys.rotate': { method: 'POST', path: '/keys/:key/rotate' },
}

export interface KeyOperationsOptions {
  readonly store: KeyStore
  /** Keys of the file, as they are now. */
  readonly staticKeys: () => readonly StaticKey[]
  /** What is wrong with a model's name in the list of a key; undefined = nothing, or nobody here knows the models. */
  readonly modelProblem: (name: string) => string | undefined
  /** Wall clock, milliseconds since 1970. */
  readonly wallNow: () => number
  /** Called after every change, before the operation answers. */
  readonly changed: (what: 'created' | 'revoked' | 'rotated', key: ShownKey) => void
}

/** A new or rotated key. `key` is the secret, in no other answer and nowhere else. */
export interface CreatedKey extends ShownKey {
  readonly key: string
  /** True where this is the first key of all: from now on callers need one. */
  readonly requires_key_from_now_on: boolean
}

const name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}]+$/u, 'a name may not hold control characters')
  // In an address they mean a folder, also percent-encoded (WHATWG URL, section 4.4): such a key could not be named over HTTP.
  .refine((text) => text !== '.' && text !== '..', '"." and ".." are no names')
const count = z
  .number()
  .refine((value) => Number.isSafeInteger(value) && value >= 1, 'it must be a whole number of at least 1')
/** Dollars; kept below what nano-dollars can hold. */
const usd = z
  .number()
  .refine((value) => value >= 0 && value <= 9_000_000, 'it must be dollars between 0 and 9000000')
  .transform(usdToNano)
const moment = z.string().refine(
  (text) =>
    z.iso
      .date()
      .or(z.iso.datetime({ offset: true }))
      .safeParse(text).success,
  'it must be a day or a time with its zone, as in 2027-01-31 or 2027-01-31T12:00:00Z',
)
const createInput = z.strictObject({
  name,
  tenant: name.default('default'),
  user: name.optional(),
  max_usd_per_day: usd.optional(),
  max_usd_per_month: usd.optional(),
  requests_per_minute: count.optional(),
  tokens_per_minute: count.optional(),
  concurrency: count.optional(),
  models: z.array(name).min(1).optional(),
  expires_at: moment.optional(),
  can_top_up: z.boolean().default(false),
  metrics: z.boolean().default(false),
  store: z.boolean().default(false),
})
const keyInput = z.strictObject({ key: z.string().min(1).max(128) })
const rotateInput = z.strictObject({
  key: z.string().min(1).max(128),
  grace_seconds: z
    .number()
    .refine(
      (value) => Number.isSafeInteger(value) && value >= 0 && value <= MAX_GRACE_SECONDS,
      `it must be whole seconds between 0 and ${MAX_GRACE_SECONDS}`,
    )
    .default(0),
})

/** `keys.create`, `keys.list`, `keys.revoke` and `keys.rotate`. */
export function keyOperations(options: KeyOperationsOptions): readonly Operation[] {
  const { store, staticKeys, wallNow, changed } = options
  const created = (record: KeyRecord, secret: NewApiKey, isFirst: boolean): CreatedKey => ({
    ...showKey(record, wallNow()),
    key: secret.secret,
    requires_key_from_now_on: isFirst,
  })
  return [
    operation('keys.create', KEY_ROUTES['keys.create'], createInput, (input) => {
      const now = wallNow()
      checkModels(input.models ?? [], options.modelProblem)
      const secret = newApiKey()
      const record = newRecord(input, secret, now)
      const isFirst = store.write(() => {
        const known = store.list()
        checkName(record, known, staticKeys(), now)
        store.insert(record)
        return known.length === 0 && staticKeys().length === 0
      })
      changed('created', showKey(record, now))
      return created(record, secret, isFirst)
    }),
    operation('keys.list', KEY_ROUTES['keys.list'], z.strictObject({}), () => ({
      keys: [
        ...staticKeys().map((key) => showStaticKey(key, wallNow())),
        ...store.list().map((record) => showKey(record, wallNow())),
      ],
    })),
    operation('keys.revoke', KEY_ROUTES['keys.revoke'], keyInput, ({ key }) => {
      const now = wallNow()
      const ended = store.write(() => {
        const found = find(key, store.list(), staticKeys())
        for (const { id } of found) store.revoke(id, now)
        const ids = new Set(found.map(({ id }) => id))
        return store.list().filter(({ id }) => ids.has(id))
      })
      const keys = ended.map((record) => showKey(record, now))
      for (const each of keys) changed('revoked', each)
      return { keys }
    }),
    operation('keys.rotate', KEY_ROUTES['keys.rotate'], rotateInput, ({ key, grace_seconds }) => {
      const now = wallNow()
      const secret = newApiKey()
      const record = store.write(() => {
        const old = current(key, store.list(), staticKeys(), now)
        const next: KeyRecord = { ...old, ...identity(secret), createdAtMs: now, rotatedFrom: old.id }
        store.revoke(old.id, now + grace_seconds * 1000)
        store.insert(next)
        return next
      })
      changed('rotated', showKey(record, now))
      return created(record, secret, false)
    }),
  ]
}

function identity({ prefix, sha256 }: NewApiKey): Pick<KeyRecord, 'id' | 'prefix' | 'sha256'> {
  return { id: newId('key_'), prefix, sha256 }
}

function newRecord(input: z.output<typeof createInput>, secret: NewApiKey, now: number): KeyRecord {
  const expiresAtMs = input.expires_at === undefined ? undefined : Date.parse(input.expires_at)
  if (expiresAtMs !== undefined && expiresAtMs <= now) {
    const sentence = `expires_at: ${input.expires_at} is in the past. Choose a later time.`
    throw new SwitchyardError('invalid_value', sentence, { param: 'expires_at' })
  }
  return {
    ...identity(secret),
    name: input.name,
    tenant: input.tenant,
    user: input.user,
    limits: {
      maxUsdPerDay: input.max_usd_per_day,
      maxUsdPerMonth: input.max_usd_per_month,
      requestsPerMinute: input.requests_per_minute,
      tokensPerMinute: input.tokens_per_minute,
      concurrency: input.concurrency,
    },
    models: input.models,
    canTopUp: input.can_top_up,
    metrics: input.metrics,
    store: input.store,
    createdAtMs: now,
    expiresAtMs,
    revokedAtMs: undefined,
    rotatedFrom: undefined,
  }
}

function checkModels(names: readonly string[], problemOf: KeyOperationsOptions['modelProblem']): void {
  for (const name of names) {
    const problem = problemOf(name)
    if (problem !== undefined) throw new SwitchyardError('invalid_value', `models: ${problem}`, { param: 'models' })
  }
}

/** Logs and books know a key by its name: two keys never share one, and one of a revoked key stays with its tenant. */
function checkName(
  { name, tenant }: KeyRecord,
  known: readonly KeyRecord[],
  staticKeys: readonly StaticKey[],
  now: number,
): void {
  const refuse = (why: string): never => {
    throw new SwitchyardError('key_exists', `name: ${why}`, { param: 'name' })
  }
  if (staticKeys.some((each) => each.name === name))
    refuse(`the configuration file has a key "${name}". Choose another name.`)
  for (const record of known.filter((each) => each.name === name)) {
    if (record.revokedAtMs === undefined) {
      const fix = endOf(record) > now ? 'Rotate or revoke it' : 'It has expired: revoke it first'
      refuse(`there is a key "${name}" already. ${fix}, or choose another name.`)
    }
    if (record.tenant !== tenant)
      refuse(`"${name}" was a key of tenant "${record.tenant}", whose books have it. Choose another name.`)
  }
}

/** The secrets that an operator means: all of a name, or the one with a visible prefix. Throws `key_not_found`. */
function find(key: string, known: readonly KeyRecord[], staticKeys: readonly StaticKey[]): readonly KeyRecord[] {
  const named = known.filter((each) => each.name === key)
  const found = named.length > 0 ? named : known.filter((each) => each.prefix === visiblePrefix(key))
  if (found.length > 0) return found
  const fix = staticKeys.some((each) => each.name === key)
    ? 'It stands in the configuration file: change it there and send SIGHUP.'
    : '"switchyard keys list" shows those that there are.'
  // Somebody may have given a whole key; an answer must not repeat it.
  const shown = key.startsWith(API_KEY_PREFIX) ? API_KEY_PREFIX + visiblePrefix(key) : key
  throw new SwitchyardError('key_not_found', `There is no made key "${shown}". ${fix}`)
}

/** The secret of a key that callers are to use now. Throws `key_not_found` where the key has ended. */
function current(key: string, known: readonly KeyRecord[], staticKeys: readonly StaticKey[], now: number): KeyRecord {
  const valid = find(key, known, staticKeys).find((each) => each.revokedAtMs === undefined)
  if (valid !== undefined && endOf(valid) > now) return valid
  throw new SwitchyardError('key_not_found', `The key "${key}" has ended. Make another with "switchyard keys create".`)
}
