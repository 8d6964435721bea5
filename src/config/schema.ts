/** The configuration file as written, before secrets are read and models are resolved. */
import { CHECKS, type Check } from '../gateway/checks.ts'
import { z } from 'zod'
import { UPSTREAM_KINDS, type Capability, type Tier, type UpstreamKind } from '../gateway/steps.ts'
import type { TaskTypeOptions } from '../gateway/tasks.ts'
import { FINDING_KINDS, type FindingKind } from '../guard/finding.ts'
import { DATA_ACTIONS, INJECTION_ACTIONS, type SensitivityOptions } from '../guard/sensitivity.ts'
import { price, usd, type PriceFile } from './price-schema.ts'

const safe = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const positive = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
/** Node's timers take 31 bits; a longer time would fire at once. */
const ms = z.number().int().min(1).max(2_147_483_647)
const secret = z
  .string()
  .regex(
    /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    'write it as env:NAME or file:PATH; secrets do not belong in this file',
  )
const url = z
  .string()
  .refine((text) => isHttpUrl(text), 'write an http:// or https:// address, as in "http://127.0.0.1:8000"')
  .refine(
    (text) => !isHttpUrl(text) || new URL(text).username + new URL(text).password === '',
    'a name or password does not belong into an address; write apiKey: env:NAME',
  )
  .refine((text) => !/[?#]/.test(text), 'an address here has neither "?" nor "#"; remove what follows')
const origin = z
  .string()
  .refine(
    (text) => isHttpUrl(text) && new URL(text).origin === text,
    'write the origin of a page as browsers send it, as in "https://app.example.com" ("*" would let every page spend your money)',
  )
const name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}]+$/u, 'a name may not hold control characters')
/** RFC 9110, section 5.6.2. */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'this is no name of an HTTP header')

const timeouts = z.strictObject({
  connectMs: ms.default(3000),
  firstByteMs: ms.default(60_000),
  idleMs: ms.default(60_000),
  totalMs: ms.default(900_000),
})

const upstream = z.strictObject({
  kind: z.enum(UPSTREAM_KINDS),
  baseUrl: url.optional(),
  replicas: z.array(url).min(1).optional(),
  apiKey: secret.optional(),
  headers: z.record(headerName, z.string()).default({}),
  timeouts: timeouts.prefault({}),
  retries: z.number().int().min(0).max(10).default(2),
  breaker: z
    .union([z.literal('off'), z.strictObject({ failures: positive.default(5), openMs: ms.default(10_000) })])
    .prefault({}),
  ask: z.enum(['auto', 'stream', 'as-asked']).default('auto'),
  passFields: z.array(name).default([]),
  apiVersion: z
    .string()
    .regex(
      /^(?:\d{4}-\d{2}-\d{2}(?:-preview)?|v1|preview|latest)$/,
      'write a version of Azure, as in "2024-10-21" or "preview"',
    )
    .optional(),
  fetchImages: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/,
          'write a host, as in "pictures.example.com" or "*.example.com"',
        ),
    )
    .default([]),
  authHeader: z.enum(['authorization', 'api-key']).optional(),
  reasoningDetails: z.boolean().optional(),
  gpu: z.strictObject({ count: positive.default(1), usdPerHour: usd, name: z.string().optional() }).optional(),
})

const model = z.strictObject({
  upstream: name,
  model: name,
  tier: z.enum(['local', 'frontier']).optional(),
  contextTokens: positive.optional(),
  api: z.enum(['chat', 'generate', 'responses']).optional(),
  capabilities: z
    .array(
      z.enum([
        'tools',
        'images',
        'json_schema',
        'audio',
        'web_search',
        'logprobs',
        'custom_tools',
        'completions',
        'embeddings',
      ]),
    )
    .optional(),
  price: price.optional(),
  extraBody: z.record(name, z.unknown()).default({}),
  fallbacks: z.array(name).default([]),
})

const sensitivity = z.strictObject({
  personalData: z.enum(DATA_ACTIONS).optional(),
  secrets: z.enum(DATA_ACTIONS).optional(),
  injection: z.enum(INJECTION_ACTIONS).optional(),
})

const cacheMode = z.enum(['off', 'exact', 'shadow', 'semantic'])
const cascade = z.union([
  z.literal('off'),
  z.strictObject({
    checks: z.array(z.enum(CHECKS)).max(CHECKS.length).optional(),
    verify: z.enum(['stream', 'whole']).optional(),
    minLogprob: z.number().max(0).optional(),
    secondOpinions: z.array(name).max(2).optional(),
    maxGain: z.number().min(0).max(1).optional(),
  }),
])
const route = z.strictObject({
  small: z.array(name).default([]),
  big: z.array(name).default([]),
  targetBigShare: z.number().min(0).max(1).optional(),
  costQuality: z.number().min(0).max(1).optional(),
  fallback: z.enum(['tier', 'cross-tier']).default('cross-tier'),
  cascade: cascade.optional(),
  sensitivity: sensitivity.optional(),
  cache: z
    .strictObject({
      mode: cacheMode.optional(),
      sampled: z.boolean().optional(),
      max_error: z.number().min(0).max(1).optional(),
    })
    .optional(),
})

/** Names of tools; `*` stands for any part of one. */
const toolNames = z.array(z.string().min(1).max(256)).max(256)

const taskType = z.strictObject({
  maxUsd: usd.optional(),
  maxTokens: safe.optional(),
  maxModelCalls: safe.optional(),
  maxToolCalls: safe.optional(),
  maxWriteCalls: safe.optional(),
  writeTools: toolNames.optional(),
  maxSeconds: safe.optional(),
  concurrency: positive.optional(),
  onLimit: z.enum(['pause', 'stop', 'wrap_up']).optional(),
  capAtLimit: z.enum(['lower', 'refuse']).optional(),
  parkSeconds: z.number().min(0).max(86_400).optional(),
})

/** A day (its beginning in UTC) or a time with its zone; a time without one would mean something else on every machine. */
const moment = z.string().refine(
  (text) =>
    z.iso
      .date()
      .or(z.iso.datetime({ offset: true }))
      .safeParse(text).success,
  'write a day or a time with its zone, as in "2027-01-31" or "2027-01-31T12:00:00Z"',
)

const key = z.strictObject({
  name,
  key: z.string().min(1),
  tenant: name.default('default'),
  maxUsdPerDay: usd.optional(),
  maxUsdPerMonth: usd.optional(),
  requestsPerMinute: positive.optional(),
  tokensPerMinute: positive.optional(),
  concurrency: positive.optional(),
  expiresAt: moment.optional(),
  models: z.array(name).optional(),
  metrics: z.boolean().default(false),
  canTopUp: z.boolean().default(false),
  store: z.boolean().default(false),
  compat: z.strictObject({ unknownFields: z.enum(['drop', 'refuse']).default('drop') }).prefault({}),
})

/** It becomes a header and a label. */
const intentName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'write letters, digits, "_", "-" and ".", 64 at most')
const intent = z.strictObject({
  examples: z.array(z.string().trim().min(1).max(2000)).max(1000).default([]),
  route: name.optional(),
})

const tenant = z.strictObject({ maxUsdPerDay: usd.optional(), sensitivity: sensitivity.optional() })

export const configSchema: z.ZodObject = z.strictObject({
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.number().int().min(0).max(65_535).default(4000),
      adminKey: secret.optional(),
      bodyLimitBytes: positive.max(1_073_741_824).default(33_554_432),
      textLimitBytes: positive.default(16_777_216),
      drainSeconds: z.number().min(0).max(3600).default(30),
      keepAliveSeconds: positive.max(3600).default(72),
      requestTimeoutSeconds: positive.max(3600).default(60),
      allowedOrigins: z.array(origin).default([]),
    })
    .prefault({}),
  dataDir: z.string().min(1).default('./data'),
  store: z
    .strictObject({
      kind: z.enum(['sqlite', 'redis']).default('sqlite'),
      durability: z.enum(['process', 'power']).default('process'),
      url: secret.optional(),
    })
    .prefault({}),
  upstreams: z.record(name, upstream).default({}),
  models: z.record(name, model).default({}),
  routes: z.record(name, route).default({}),
  taskTypes: z.record(name, taskType).default({}),
  budget: z
    .strictObject({
      holdWaitMs: z.number().int().min(0).max(600_000).default(10_000),
      minOutputTokens: positive.default(64),
      capAtLimit: z.enum(['lower', 'refuse']).default('lower'),
      writeTools: toolNames.default([]),
      taskIdleMinutes: positive.max(525_600).default(60),
    })
    .prefault({}),
  aliases: z.record(name, name).default({}),
  retention: z
    .strictObject({
      eventsDays: positive.default(30),
      eventsMaxBytes: positive.default(1_073_741_824),
      attemptsDays: positive.default(90),
      responsesDays: positive.default(30),
      feedbackDays: positive.default(30),
    })
    .prefault({}),
  keys: z.array(key).default([]),
  tenants: z.record(name, tenant).default({}),
  cache: z
    .strictObject({
      mode: cacheMode.default('exact'),
      scope: z.enum(['tenant', 'user']).default('tenant'),
      ttlSeconds: positive.max(604_800).default(3600),
      maxBytes: positive.default(67_108_864),
    })
    .prefault({}),
  sensitivity: z
    .strictObject({
      personalData: z.enum(DATA_ACTIONS).default('off'),
      secrets: z.enum(DATA_ACTIONS).default('off'),
      injection: z.enum(INJECTION_ACTIONS).default('off'),
      except: z.array(z.enum(FINDING_KINDS)).default([]),
    })
    .prefault({}),
  router: z
    .strictObject({
      weights: z.enum(['required', 'optional']).default('required'),
      folder: z.string().min(1).optional(),
      outOfScope: z.number().min(0).max(0.5).default(0.05),
    })
    .prefault({}),
  intents: z.record(intentName, intent).default({}),
  encoder: z
    .strictObject({
      enabled: z.enum(['auto', 'on', 'off']).default('auto'),
      deadlineMs: ms.default(40),
      routingBand: z.number().min(0).max(0.5).default(0),
      storeBytes: safe.default(16_777_216),
      folder: z.string().min(1).optional(),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      log: z.string().min(1).default('stdout'),
      events: z.string().nullable().default('./data/events.jsonl'),
      otlp: z.string().nullable().default(null),
      capturePrompts: z.boolean().default(false),
    })
    .prefault({}),
})

export interface UpstreamFile {
  readonly kind: UpstreamKind
  readonly baseUrl?: string | undefined
  readonly replicas?: readonly string[] | undefined
  readonly apiKey?: string | undefined
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
  readonly fetchImages: readonly string[]
  readonly apiVersion?: string | undefined
  readonly authHeader?: 'authorization' | 'api-key' | undefined
  readonly reasoningDetails?: boolean | undefined
}
export interface ModelFile {
  readonly upstream: string
  readonly model: string
  readonly tier?: Tier | undefined
  readonly contextTokens?: number | undefined
  readonly api?: 'chat' | 'generate' | 'responses' | undefined
  readonly capabilities?: readonly Capability[] | undefined
  readonly price?: PriceFile | undefined
  readonly extraBody: Readonly<Record<string, unknown>>
  readonly fallbacks: readonly string[]
}
export interface RouteFile {
  readonly small: readonly string[]
  readonly big: readonly string[]
  readonly targetBigShare?: number | undefined
  readonly costQuality?: number | undefined
  readonly fallback: 'tier' | 'cross-tier'
  readonly cascade?: CascadeFile | undefined
  readonly sensitivity?: SensitivityOptions | undefined
  readonly cache?: { readonly mode?: CacheModeFile | undefined; readonly sampled?: boolean | undefined } | undefined
}
type CacheModeFile = 'off' | 'exact' | 'shadow' | 'semantic'
export type CascadeFile =
  | 'off'
  | {
      readonly checks?: readonly Check[] | undefined
      readonly verify?: 'stream' | 'whole' | undefined
      readonly minLogprob?: number | undefined
      readonly secondOpinions?: readonly string[] | undefined
      readonly maxGain?: number | undefined
    }
export interface KeyFile {
  readonly name: string
  readonly key: string
  readonly tenant: string
  readonly maxUsdPerDay?: number | undefined
  readonly maxUsdPerMonth?: number | undefined
  readonly requestsPerMinute?: number | undefined
  readonly tokensPerMinute?: number | undefined
  readonly concurrency?: number | undefined
  readonly expiresAt?: string | undefined
  readonly models?: readonly string[] | undefined
  readonly metrics: boolean
  readonly canTopUp: boolean
  readonly store: boolean
  readonly compat: { readonly unknownFields: 'drop' | 'refuse' }
}

/** What the schema makes of a file, defaults filled in. Settings that nothing reads yet are checked and left out here. */
export interface FileConfig {
  readonly server: {
    readonly host: string
    readonly port: number
    readonly adminKey?: string
    readonly bodyLimitBytes: number
    readonly textLimitBytes: number
    readonly drainSeconds: number
    readonly keepAliveSeconds: number
    readonly requestTimeoutSeconds: number
    readonly allowedOrigins: readonly string[]
  }
  readonly dataDir: string
  readonly store: {
    readonly kind: 'sqlite' | 'redis'
    readonly durability: 'process' | 'power'
    readonly url?: string | undefined
  }
  readonly upstreams: Readonly<Record<string, UpstreamFile>>
  readonly models: Readonly<Record<string, ModelFile>>
  readonly routes: Readonly<Record<string, RouteFile>>
  readonly taskTypes: Readonly<Record<string, TaskTypeOptions>>
  readonly budget: {
    readonly holdWaitMs: number
    readonly minOutputTokens: number
    readonly capAtLimit: 'lower' | 'refuse'
    readonly writeTools: readonly string[]
    readonly taskIdleMinutes: number
  }
  readonly cache: {
    readonly mode: CacheModeFile
    readonly scope: 'tenant' | 'user'
    readonly ttlSeconds: number
    readonly maxBytes: number
  }
  readonly retention: {
    readonly eventsDays: number
    readonly eventsMaxBytes: number
    readonly attemptsDays: number
    readonly responsesDays: number
    readonly feedbackDays: number
  }
  readonly aliases: Readonly<Record<string, string>>
  readonly router: {
    readonly weights: 'required' | 'optional'
    readonly folder?: string | undefined
    readonly outOfScope: number
  }
  readonly intents: Readonly<
    Record<string, { readonly examples: readonly string[]; readonly route?: string | undefined }>
  >
  readonly encoder: {
    readonly enabled: 'auto' | 'on' | 'off'
    readonly deadlineMs: number
    readonly routingBand: number
    readonly storeBytes: number
    readonly folder?: string | undefined
  }
  readonly keys: readonly KeyFile[]
  readonly tenants: Readonly<
    Record<
      string,
      { readonly maxUsdPerDay?: number | undefined; readonly sensitivity?: SensitivityOptions | undefined }
    >
  >
  readonly sensitivity: SensitivityOptions & { readonly except: readonly FindingKind[] }
  readonly telemetry: { readonly log: string; readonly events: string | null }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && !/\s/.test(text) && URL.canParse(text)
}

/** Names that may stand at a path of the file, for suggestions; empty where any name may. */
export function namesAt(path: readonly PropertyKey[]): readonly string[] {
  let at: z.core.$ZodType | undefined = configSchema
  for (const step of path) at = at === undefined ? undefined : inside(at, step)
  const found = at === undefined ? undefined : unwrap(at)
  return found instanceof z.ZodObject ? Object.keys(found.shape) : []
}

function inside(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  const plain = unwrap(schema)
  if (plain instanceof z.ZodObject) return plain.shape[String(step)] as z.core.$ZodType | undefined
  if (plain instanceof z.ZodRecord) return plain.valueType
  if (plain instanceof z.ZodArray) return plain.element
  return undefined
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return unwrap(schema.unwrap())
  }
  if (schema instanceof z.ZodUnion) {
    const objects = schema.options.map((each) => unwrap(each)).filter((each) => each instanceof z.ZodObject)
    return objects[0] ?? schema
  }
  return schema
}
