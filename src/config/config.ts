import type { Check } from '../gateway/checks.ts'
import type { Target, UpstreamKind } from '../gateway/steps.ts'
import type { TaskTypeOptions } from '../gateway/tasks.ts'
import type { PriceSchedule } from '../budget/prices/price-schedule.ts'
import type { FindingKind } from '../guard/finding.ts'
import type { SensitivityOptions } from '../guard/sensitivity.ts'
import type { NanoUsd } from '../shared/money.ts'
import type { Secret } from '../shared/secret.ts'
import type { Setting } from './provenance.ts'

export type { Target }

export interface UpstreamConfig {
  readonly name: string
  readonly kind: UpstreamKind
  /** Base URLs up to and including what every path of the kind begins with (`/v1`, `/v1beta`); empty for the simulator, which the app starts itself. */
  readonly replicas: readonly string[]
  readonly apiKey: Secret | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: {
    readonly connectMs: number
    readonly firstByteMs: number
    readonly idleMs: number
    readonly totalMs: number
  }
  readonly retries: number
  readonly breaker: 'off' | { readonly failures: number; readonly openMs: number }
  readonly ask: 'auto' | 'stream' | 'as-asked'
  readonly passFields: readonly string[]
  readonly fetchImages?: readonly string[]
  readonly apiVersion?: string
  readonly authHeader?: 'authorization' | 'api-key'
  readonly reasoningDetails?: boolean
}

export interface RouteConfig {
  readonly small: readonly string[]
  readonly big: readonly string[]
  readonly targetBigShare?: number
  readonly costQuality?: number
  readonly fallback: 'tier' | 'cross-tier'
  readonly cascade: CascadeConfig | 'off'
  readonly sensitivity?: SensitivityOptions
  readonly cache?: { readonly mode: CacheMode | undefined; readonly sampled: boolean }
}

/** `shadow` and `semantic` do what `exact` does in this version. */
export type CacheMode = 'off' | 'exact' | 'shadow' | 'semantic'

/** When an answer of the small side is not believed. */
export interface CascadeConfig {
  readonly checks: readonly Check[]
  readonly verify: 'stream' | 'whole'
  readonly minLogprob: number | undefined
  /** Names of models. */
  readonly secondOpinions: readonly string[]
  readonly maxGain: number
}

export interface KeyConfig {
  readonly name: string
  /** SHA-256 of the key. */
  readonly sha256: Buffer
  readonly tenant: string
  readonly limits: {
    readonly maxUsdPerDay: NanoUsd | undefined
    readonly maxUsdPerMonth: NanoUsd | undefined
    readonly requestsPerMinute: number | undefined
    readonly tokensPerMinute: number | undefined
    readonly concurrency: number | undefined
  }
  readonly models: readonly string[] | undefined
  /** Milliseconds since 1970 from which the key is refused. */
  readonly expiresAtMs: number | undefined
  readonly canTopUp: boolean
  readonly metrics: boolean
  /** Responses may be stored (Responses API). */
  readonly store: boolean
  readonly unknownFields: 'drop' | 'refuse'
}

export interface TenantConfig {
  readonly maxUsdPerDay: NanoUsd | undefined
  readonly sensitivity?: SensitivityOptions
}

export interface IntentConfig {
  readonly name: string
  /** None = a built-in intent. */
  readonly examples: readonly string[]
  /** `small`, `big` or a model; undefined = only a label. */
  readonly route: string | undefined
}

/** Everything the service needs to know, resolved: secrets read, models looked up, paths absolute. */
export interface Config {
  readonly server: {
    readonly host: string
    readonly port: number
    readonly adminKey: Secret | undefined
    readonly bodyLimitBytes: number
    readonly textLimitBytes: number
    readonly drainSeconds: number
    readonly keepAliveSeconds: number
    readonly requestTimeoutSeconds: number
    readonly allowedOrigins: readonly string[]
  }
  readonly dataDir: string
  readonly upstreams: readonly UpstreamConfig[]
  readonly targets: ReadonlyMap<string, Target>
  /** Everything that a caller can name as a model: `targets`, and what this process serves itself. */
  readonly served: ReadonlyMap<string, Target>
  /** Prices of each target by date; `target.price` is the one in force. */
  readonly prices: ReadonlyMap<string, PriceSchedule>
  readonly routes: Readonly<Record<string, RouteConfig>>
  readonly aliases: Readonly<Record<string, string>>
  readonly keys: readonly KeyConfig[]
  /** Limits over all keys of a tenant, made ones too. */
  readonly tenants: Readonly<Record<string, TenantConfig>>
  /** What is done everywhere with sensitive and suspicious texts; routes and tenants may ask for more. */
  readonly sensitivity: SensitivityOptions & { readonly except: readonly FindingKind[] }
  readonly log: string
  /** The built-in and configured task types, dollars and seconds as written. */
  readonly taskTypes: Readonly<Record<string, TaskTypeOptions>>
  readonly durability: 'process' | 'power'
  /** Where the books are kept. */
  readonly store: { readonly kind: 'sqlite' } | { readonly kind: 'redis'; readonly url: Secret }
  readonly budget: {
    readonly holdWaitMs: number
    readonly minOutputTokens: number
    readonly capAtLimit: 'lower' | 'refuse'
    readonly writeTools: readonly string[]
    readonly taskIdleMinutes: number
  }
  /** Answers of equal requests out of memory. */
  readonly cache: {
    readonly mode: CacheMode
    /** Who may share an answer; `user` = the user of a key, or the key itself where it has none. */
    readonly scope: 'tenant' | 'user'
    /** Life of an entry, within a tenth. */
    readonly ttlSeconds: number
    /** Memory for entries; read at the start. */
    readonly maxBytes: number
  }
  readonly router: {
    /** `optional` = without usable weights the service starts all the same and routes by rules and chance. */
    readonly weights: 'required' | 'optional'
    /** Of `gain-heads.bin` and `.json`; undefined = those that ship. */
    readonly folder: string | undefined
    /** Share of requests of your own intents that may be taken for something else, 0..1: how strict they are. */
    readonly outOfScope: number
  }
  /** Of the file, in its order. */
  readonly intents: readonly IntentConfig[]
  readonly encoder: {
    /** `auto` = loaded when it is first needed, `on` = at the start. */
    readonly enabled: 'auto' | 'on' | 'off'
    /** Longest wait for a vector on the way of a request, ms. */
    readonly deadlineMs: number
    /** How near to the threshold of its route a score asks the encoder: in ranks for a share, in gain for a price; 0 = none does. */
    readonly routingBand: number
    /** Memory for vectors that were made. */
    readonly storeBytes: number
    /** Of the model; undefined = the one that ships. */
    readonly folder: string | undefined
  }
  /** Path of the event log; undefined = none is written. */
  readonly events: string | undefined
  readonly retention: {
    readonly eventsDays: number
    readonly eventsMaxBytes: number
    readonly attemptsDays: number
    readonly responsesDays: number
    readonly feedbackDays: number
  }
  /** Lines about where the configuration came from, for the banner and `check`. */
  readonly origins: readonly string[]
  /** Every setting with the flag, variable or line it comes from, for `check`. */
  readonly provenance: readonly Setting[]
  /** Things found at start that are not supported yet, and other remarks that stop nothing. */
  readonly remarks: readonly string[]
}
