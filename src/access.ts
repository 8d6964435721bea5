/**
 * Part of the composition root: who may call. Joins the keys of the file with those made by command (`store/`) into a keyring, and
 * follows changes that this or another process makes.
 */
import { KeyLimiters } from './budget/keys/key-limiters.ts'
import { keyModelProblem } from './config/check-names.ts'
import type { Config, KeyConfig } from './config/config.ts'
import { ConfigError } from './config/problems.ts'
import { keyOperations } from './control/key-operations.ts'
import type { Operation } from './control/operations.ts'
import { SubjectKeys } from './control/subject-keys.ts'
import type { Caller, SpendLimits } from './gateway/steps.ts'
import { Keyring, type KeyEntry } from './http/keyring.ts'
import type { NanoUsd } from './shared/money.ts'
import { endOf, type KeyRecord } from './store/key-record.ts'
import { KeyStore, KeyStoreError } from './store/key-store.ts'

/** How often another process's changes are looked for, ms: half of what a revocation may take. */
const WATCH_MS = 500

export interface AccessOptions {
  readonly adminSha256: Uint8Array
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** The keyring is another now: `keyring()` gives it. */
  readonly onChange: () => void
  /** One line for the log about what happened to keys. */
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

export interface KeyCounts {
  readonly inFile: number
  /** Made by command and not ended. */
  readonly made: number
  /** True where callers need no key. */
  readonly isOpen: boolean
}

/** Keys in force. */
export class Access {
  readonly operations: readonly Operation[]
  readonly subjectKeys: SubjectKeys
  readonly #options: AccessOptions
  readonly #store: KeyStore
  readonly #limiters: KeyLimiters
  readonly #timer: NodeJS.Timeout
  #config: Config
  #made: readonly KeyRecord[] = []
  #version = -1
  /** The next moment at which a key ends, milliseconds since 1970. */
  #nextEnd = Infinity
  #keyring: Keyring
  #isReadable = true

  /** Opens the made keys of the data directory. Throws ConfigError. */
  constructor(config: Config, options: AccessOptions) {
    this.#config = config
    this.#options = options
    this.#limiters = new KeyLimiters(options.now)
    this.#store = openStore(config.dataDir)
    try {
      this.#read()
      checkTwins(config, this.#made)
    } catch (error) {
      this.#store.close()
      throw error
    }
    this.#keyring = this.#build()
    this.operations = keyOperations({
      store: this.#store,
      staticKeys: () => this.#config.keys,
      modelProblem: (name) => keyModelProblem(this.#config, this.#config.served)(name),
      wallNow: options.wallNow,
      changed: (what, key) => {
        options.onEvent({ event: 'key', what, name: key.name, prefix: key.prefix, tenant: key.tenant })
        this.#refresh()
      },
    })
    this.subjectKeys = new SubjectKeys({
      store: this.#store,
      staticKeys: () => this.#config.keys,
      wallNow: options.wallNow,
      changed: (what, count) => {
        options.onEvent({ event: 'key', what, count })
        this.#refresh()
      },
    })
    // Off the requests' way: they only ever see a finished keyring.
    this.#timer = setInterval(() => this.#watch(), WATCH_MS)
    this.#timer.unref()
  }

  counts(): KeyCounts {
    const now = this.#options.wallNow()
    return {
      inFile: this.#config.keys.length,
      made: this.#made.filter((record) => endOf(record) > now).length,
      isOpen: this.#keyring.isOpen,
    }
  }

  get keyring(): Keyring {
    return this.#keyring
  }

  /** Takes the keys of another file over. Throws ConfigError where they cannot stand beside the made ones; then nothing has changed. */
  reload(config: Config): void {
    checkTwins(config, this.#made)
    this.#config = config
    this.#keyring = this.#build()
  }

  /** May be called again: a second signal ends what the first began to end. */
  close(): void {
    clearInterval(this.#timer)
    this.#store.close()
  }

  #watch(): void {
    try {
      const isChanged = this.#store.dataVersion() !== this.#version
      if (isChanged) this.#options.onEvent({ event: 'key', what: 'changed by another process' })
      // A keyring refuses an ended key to the millisecond; the new one is for whoever remembers answers of the old.
      if (isChanged || this.#options.wallNow() >= this.#nextEnd) this.#refresh()
      this.#isReadable = true
    } catch (error) {
      // Said once, not twice a second.
      if (!this.#isReadable) return
      this.#isReadable = false
      this.#options.onEvent({ event: 'key', what: 'cannot be read, the last state counts', detail: String(error) })
    }
  }

  #refresh(): void {
    this.#read()
    this.#keyring = this.#build()
    this.#options.onChange()
  }

  #read(): void {
    // The version first: a change in between is then seen by the next look instead of never.
    this.#version = this.#store.dataVersion()
    this.#made = this.#store.list()
  }

  #build(): Keyring {
    const { tenants, keys } = this.#config
    const now = this.#options.wallNow()
    const names = new Set(keys.map((key) => key.name))
    // Somebody may have written the same name past all checks; the file's key is the one that an operator sees.
    const made = this.#made.filter((record) => endOf(record) > now && !names.has(record.name))
    const ends = [...keys.map((key) => key.expiresAtMs ?? Infinity), ...made.map(endOf)].filter((end) => end > now)
    this.#nextEnd = Math.min(Infinity, ...ends)
    for (const { name } of made) names.add(name)
    this.#limiters.keepOnly(names)
    const tenantLimits = (tenant: string): SpendLimits => spendLimits(tenants[tenant]?.maxUsdPerDay, undefined)
    const entryOf = (key: MadeOrStatic, endsAtMs: number): KeyEntry => ({
      sha256: key.sha256,
      caller: {
        tenant: key.tenant,
        key: key.name,
        user: 'user' in key ? key.user : undefined,
        spendLimits: spendLimits(key.limits.maxUsdPerDay, key.limits.maxUsdPerMonth),
        tenantSpendLimits: tenantLimits(key.tenant),
        canTopUp: key.canTopUp,
        mayStore: key.store,
        models: key.models === undefined ? undefined : new Set(key.models),
        unknownFields: 'unknownFields' in key ? key.unknownFields : 'drop',
        limiter: this.#limiters.of(key.name, key.limits),
      },
      mayReadMetrics: key.metrics,
      endsAtMs,
    })
    return new Keyring({
      entries: [
        ...keys.map((key) => entryOf(key, key.expiresAtMs ?? Infinity)),
        ...made.map((record) => entryOf(record, endOf(record))),
      ],
      anonymous: needsKey(this.#config, this.#made) ? undefined : anonymous(tenantLimits('default')),
      adminSha256: this.#options.adminSha256,
      wallNow: this.#options.wallNow,
    })
  }
}

type MadeOrStatic = KeyConfig | KeyRecord

/**
 * A key is needed as soon as there is one in the file or one was ever made, even if all of those have ended: whoever revokes the last key
 * wants to lock somebody out, not to let everybody in.
 */
function needsKey(config: Config, made: readonly KeyRecord[]): boolean {
  return config.keys.length > 0 || made.length > 0
}

/** Everybody on this machine, where no key is needed. */
function anonymous(tenantSpendLimits: SpendLimits): Caller {
  return {
    tenant: 'default',
    key: 'anonymous',
    user: undefined,
    spendLimits: {},
    tenantSpendLimits,
    canTopUp: false,
    mayStore: false,
    models: undefined,
    unknownFields: 'drop',
    limiter: undefined,
  }
}

function spendLimits(perDay: NanoUsd | undefined, perMonth: NanoUsd | undefined): SpendLimits {
  return { ...(perDay === undefined ? {} : { perDay }), ...(perMonth === undefined ? {} : { perMonth }) }
}

/** Throws ConfigError for a key of the file that has the name or the secret of a made one. */
function checkTwins(config: Config, made: readonly KeyRecord[]): void {
  const problems = config.keys.flatMap((key, index) => {
    const twin = made.find(
      (record) =>
        Buffer.compare(record.sha256, key.sha256) === 0 ||
        (record.name === key.name && record.revokedAtMs === undefined),
    )
    if (twin === undefined) return []
    const sentence = `a key made by command has this name or secret ("${twin.name}"). Rename this one, or revoke the other with "switchyard keys revoke".`
    return [{ setting: `keys.${index}.name`, line: undefined, sentence }]
  })
  if (problems.length > 0) throw new ConfigError(problems, undefined)
}

function openStore(dataDir: string): KeyStore {
  try {
    return new KeyStore(dataDir)
  } catch (error) {
    const why = error instanceof KeyStoreError ? error.message : `${dataDir} cannot be used: ${String(error)}.`
    throw new ConfigError([{ setting: 'dataDir', line: undefined, sentence: why }], undefined)
  }
}
