/** From the file as written to the configuration as used: secrets are read, models get their prices, names are checked. */
import { resolveCascade } from './cascade.ts'
import { isAbsolute, resolve as resolvePath } from 'node:path'
import { priceAt, type PriceSchedule } from '../budget/prices/price-schedule.ts'
import type { Capability, Target, UpstreamKind } from '../gateway/steps.ts'
import { ANTHROPIC_PRICED_FIELDS } from '../protocol/anthropic-messages/priced-fields.ts'
import { PRICED_FIELDS } from '../protocol/openai-chat/known-fields.ts'
import { RESPONSES_PRICED_FIELDS } from '../protocol/openai-responses/priced-fields.ts'
import { hasOnlyResponses } from '../shared/has-only-responses.ts'
import { isRedisUrl } from '../shared/redis-url.ts'
import type { Secret } from '../shared/secret.ts'
import { capabilitiesOf, lackSentence, mostOf, type WireOf } from './capabilities.ts'
import type { Config, KeyConfig, UpstreamConfig } from './config.ts'
import { checkNames, suggestion } from './check-names.ts'
import { OWN_ENCODER, ownEncoderTarget } from './own-encoder.ts'
import { priceSchedules } from './price-schedules.ts'
import { ConfigError, type Lines, type Problem } from './problems.ts'
import { resolveIntents } from './resolve-intents.ts'
import { resolveKeys, resolveTenants } from './resolve-keys.ts'
import { isAtOpenAi, isOpenRouter, isPublic, resolveUpstreams } from './resolve-upstreams.ts'
import type { FileConfig } from './schema.ts'
import { SecretReader } from './secrets.ts'

export interface ResolveContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly file: string | undefined
  readonly lines: Lines
  /** Unix milliseconds; also read later, since prices change while the service runs. */
  readonly now: () => number
  /** Whether a data directory holds keys that were made by command; they make a key necessary as those of the file do. */
  readonly hasMadeKeys: (dataDir: string) => boolean
}

/** Fixed fields of `generateContent` that neither cost anything nor stand beside what is priced. */
const GOOGLE_EXTRA: readonly string[] = ['safetySettings', 'labels', 'generationConfig']
/** Headers that a provider knows us by. */
const AUTH_HEADERS: readonly string[] = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key']
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i

/** What `telemetry.events` says where nobody has set it. */
const DEFAULT_EVENTS = './data/events.jsonl'
/** Built-in task types; the file may change them. */
const TASK_TYPES: Config['taskTypes'] = {
  default: { maxUsd: 25, concurrency: 64, onLimit: 'pause' },
  'server-run': {
    maxUsd: 1,
    maxTokens: 2_000_000,
    maxModelCalls: 200,
    maxToolCalls: 6,
    maxSeconds: 90,
    concurrency: 16,
    onLimit: 'pause',
  },
}

/** Throws ConfigError with every problem found. */
export function resolveConfig(raw: FileConfig, context: ResolveContext): Omit<Config, 'provenance'> {
  return new Resolver(raw, context).run()
}

function cacheModes(raw: FileConfig): readonly (readonly [string, string | undefined])[] {
  const ofRoutes = Object.entries(raw.routes).map(
    ([name, { cache }]) => [`routes.${name}.cache.mode`, cache?.mode] as const,
  )
  return [['cache.mode', raw.cache.mode], ...ofRoutes]
}

export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host)
}

class Resolver {
  readonly #raw: FileConfig
  readonly #context: ResolveContext
  readonly #secrets: SecretReader
  readonly #problems: Problem[] = []
  readonly #remarks: string[] = []

  constructor(raw: FileConfig, context: ResolveContext) {
    this.#raw = raw
    this.#context = context
    this.#secrets = new SecretReader({
      env: context.env,
      pathOf: (path) => this.#path(path),
      report: (path, sentence) => this.#problem(path, sentence),
    })
  }

  run(): Omit<Config, 'provenance'> {
    const upstreams = resolveUpstreams(this.#raw.upstreams, this.#secrets, (path, sentence) =>
      this.#problem(path, sentence),
    )
    const { encoder } = this.#raw
    const prices = priceSchedules(this.#raw.models, upstreams)
    const targets = this.#targets(upstreams, prices)
    const raw = withDefaultRoute(this.#raw, targets)
    const served = encoder.enabled === 'off' ? targets : new Map([...targets, [OWN_ENCODER, ownEncoderTarget()]])
    if (Object.keys(raw.models).length === 0)
      this.#problem(
        ['models'],
        'there is none, so that no request could be answered. List the names that callers use, as in models: { small: { upstream: NAME, model: NAME-THERE } }.',
      )
    for (const upstream of upstreams) {
      const isKnown =
        upstream.apiKey !== undefined || AUTH_HEADERS.some((header) => upstream.headers[header] !== undefined)
      if (isHostedKind(upstream.kind) && isPublic(upstream) && !isKnown)
        this.#remarks.push(`upstreams.${upstream.name} has no apiKey: hosted servers refuse requests without one`)
    }
    for (const [setting, mode] of cacheModes(raw)) {
      if (mode === 'shadow' || mode === 'semantic')
        this.#remarks.push(`${setting}: ${mode} does what "exact" does in this version`)
    }
    checkNames(raw, served, (path, sentence) => this.#problem(path, sentence))
    const intents = resolveIntents(raw, (path, sentence) => this.#problem(path, sentence))
    const adminKey = this.#secrets.read(raw.server.adminKey, ['server', 'adminKey'])
    const keys = this.#keys(adminKey)
    const dataDir = this.#path(raw.dataDir)
    if (keys.length === 0 && !isLoopbackHost(raw.server.host) && !this.#context.hasMadeKeys(dataDir)) {
      this.#problem(
        ['server', 'host'],
        `without "keys" only a loopback address is allowed, and ${raw.server.host} is none. Add keys, make one with "switchyard keys create", or listen on 127.0.0.1.`,
      )
    }
    const store = this.#store()
    for (const [name, type] of Object.entries(raw.taskTypes)) {
      if (type.maxWriteCalls === undefined || (type.writeTools ?? raw.budget.writeTools).length > 0) continue
      this.#problem(
        ['taskTypes', name, 'maxWriteCalls'],
        'nobody has said which tools write. Name them in writeTools, as in ["refund*"].',
      )
    }
    if (this.#problems.length > 0) throw new ConfigError(this.#problems, this.#context.file)
    return {
      server: { ...raw.server, adminKey },
      dataDir,
      upstreams,
      targets,
      served,
      prices,
      routes: Object.fromEntries(
        Object.entries(raw.routes).map(([name, route]) => [
          name,
          {
            small: route.small,
            big: route.big,
            fallback: route.fallback,
            cascade: resolveCascade(route.cascade),
            ...(route.targetBigShare === undefined ? {} : { targetBigShare: route.targetBigShare }),
            ...(route.costQuality === undefined ? {} : { costQuality: route.costQuality }),
            ...(route.sensitivity === undefined ? {} : { sensitivity: route.sensitivity }),
            ...(route.cache === undefined
              ? {}
              : { cache: { mode: route.cache.mode, sampled: route.cache.sampled ?? false } }),
          },
        ]),
      ),
      aliases: raw.aliases,
      keys,
      tenants: resolveTenants(raw, (sentence) => this.#remarks.push(sentence)),
      cache: raw.cache,
      sensitivity: raw.sensitivity,
      log:
        raw.telemetry.log === 'stdout' || raw.telemetry.log === 'off'
          ? raw.telemetry.log
          : this.#path(raw.telemetry.log),
      taskTypes: Object.fromEntries(
        [...new Set([...Object.keys(TASK_TYPES), ...Object.keys(raw.taskTypes)])].map((name) => [
          name,
          { ...TASK_TYPES[name], ...raw.taskTypes[name] },
        ]),
      ),
      durability: raw.store.durability,
      store,
      budget: raw.budget,
      router: {
        ...raw.router,
        folder: raw.router.folder === undefined ? undefined : this.#path(raw.router.folder),
      },
      intents,
      encoder: { ...encoder, folder: encoder.folder === undefined ? undefined : this.#path(encoder.folder) },
      events: this.#events(dataDir),
      retention: raw.retention,
      origins: this.#context.file === undefined ? [] : [`configuration: ${this.#context.file}`],
      remarks: this.#remarks,
    }
  }

  #targets(
    upstreams: readonly UpstreamConfig[],
    prices: ReadonlyMap<string, PriceSchedule>,
  ): ReadonlyMap<string, Target> {
    const { now } = this.#context
    const unpriced: string[] = []
    const targets = new Map<string, Target>()
    for (const [name, model] of Object.entries(this.#raw.models)) {
      const at = ['models', name]
      if (/^(?:auto|.*[/:].*)$/.test(name))
        this.#problem(at, 'a model may not be called auto or have a "/" or ":" in its name. Rename it.')
      if (name === OWN_ENCODER) this.#problem(at, "this is the name of the gateway's own encoder. Rename the model.")
      const upstream = upstreams.find((each) => each.name === model.upstream)
      if (upstream === undefined) {
        this.#problem(
          [...at, 'upstream'],
          `there is no upstream "${model.upstream}".${suggestion(
            model.upstream,
            upstreams.map((each) => each.name),
          )}`,
        )
        continue
      }
      const tier = model.tier ?? (isHostedKind(upstream.kind) && isPublic(upstream) ? 'frontier' : 'local')
      const schedule = prices.get(name) ?? []
      const isUnpriced = priceAt(schedule, now()) === undefined
      if (isUnpriced && tier === 'local') unpriced.push(name)
      if (isUnpriced && tier === 'frontier') {
        this.#problem(
          at,
          `the price book does not know ${model.model}. Add price: { inputPerM: …, outputPerM: … } in dollars per million tokens.`,
        )
      }
      for (const field of Object.keys(model.extraBody)) {
        if (PRICED_FIELDS.has(field) || (upstream.kind === 'anthropic' && ANTHROPIC_PRICED_FIELDS.has(field)))
          this.#problem([...at, 'extraBody', field], 'this field belongs to the request itself. Remove it.')
      }
      if (model.api === 'generate' && upstream.kind !== 'tgi')
        this.#problem([...at, 'api'], 'only models of kind tgi have the native route. Remove it.')
      if (model.api === 'responses' && upstream.kind !== 'openai')
        this.#problem([...at, 'api'], 'only models of kind openai have the Responses API. Remove it.')
      const api = apiOf(upstream, model)
      for (const field of api === 'responses' ? Object.keys(model.extraBody) : []) {
        if (RESPONSES_PRICED_FIELDS.has(field))
          this.#problem([...at, 'extraBody', field], 'this field belongs to the request itself. Remove it.')
      }
      for (const field of upstream.kind === 'google' ? Object.keys(model.extraBody) : []) {
        if (!GOOGLE_EXTRA.includes(field))
          this.#problem(
            [...at, 'extraBody', field],
            `models of kind google take ${GOOGLE_EXTRA.join(', ')} here. Remove it.`,
          )
      }
      targets.set(name, {
        name,
        upstream: upstream.name,
        kind: upstream.kind,
        model: model.model,
        tier,
        contextTokens: model.contextTokens,
        ...(api === undefined ? {} : { api }),
        ...(api === undefined && isOpenRouter(upstream) ? { signs: 'openrouter' as const } : {}),
        capabilities: new Set(
          this.#capabilities(at, model, { kind: upstream.kind, api, isPublic: isPublic(upstream) }),
        ),
        get price() {
          return priceAt(schedule, now())
        },
        extraBody: model.extraBody,
        fallbacks: model.fallbacks,
      })
    }
    if (unpriced.length > 0) {
      this.#remarks.push(
        `no price: ${unpriced.join(', ')}. What they cost is not shown, and tasks with a budget may not use them; add models.NAME.price`,
      )
    }
    return targets
  }

  /** Those of the file, or what its wire can be told; what the wire has no words for would only be refused later, request by request. */
  #capabilities(
    at: readonly string[],
    { model, capabilities }: FileConfig['models'][string],
    wire: WireOf,
  ): readonly Capability[] {
    const given = capabilities ?? capabilitiesOf(wire, model)
    const most = mostOf(wire)
    for (const [index, each] of given.entries()) {
      if (most.has(each)) continue
      const where = capabilities === undefined ? [...at, 'model'] : [...at, 'capabilities', index]
      this.#problem(where, lackSentence(wire, each, capabilities === undefined ? model : undefined))
    }
    return given
  }

  #store(): Config['store'] {
    const { kind, url } = this.#raw.store
    if (kind === 'sqlite') {
      if (url !== undefined)
        this.#problem(['store', 'url'], 'only kind redis has an address. Write kind: redis, or remove the url.')
      return { kind }
    }
    if (url === undefined) {
      this.#problem(['store', 'kind'], 'redis needs its address. Add url: env:REDIS_URL.')
      return { kind: 'sqlite' }
    }
    const secret = this.#secrets.read(url, ['store', 'url'])
    if (secret === undefined) return { kind: 'sqlite' }
    if (!isRedisUrl(secret.reveal())) {
      this.#problem(
        ['store', 'url'],
        'what it points to is no address of a Redis. Write redis://[USER:PASSWORD@]HOST:PORT, rediss:// for TLS, or unix:///PATH.',
      )
    }
    return { kind, url: secret }
  }

  #keys(adminKey: Secret | undefined): KeyConfig[] {
    return resolveKeys(this.#raw.keys, {
      secrets: this.#secrets,
      adminKey,
      nowMs: this.#context.now(),
      problem: (path, sentence) => this.#problem(path, sentence),
      remark: (sentence) => this.#remarks.push(sentence),
    })
  }

  /** The default stands for the data directory, wherever that is. */
  #events(dataDir: string): string | undefined {
    const { events } = this.#raw.telemetry
    if (events === null) return undefined
    return events === DEFAULT_EVENTS ? resolvePath(dataDir, 'events.jsonl') : this.#path(events)
  }

  #path(path: string): string {
    return isAbsolute(path) ? path : resolvePath(this.#context.cwd, path)
  }

  #problem(path: readonly (string | number)[], sentence: string): void {
    const { lines } = this.#context
    this.#problems.push({ setting: path.join('.'), line: lines.at(path), from: lines.overrideOf(path), sentence })
  }
}

/** Kinds that are somebody's service where their address is public. */
function isHostedKind(kind: UpstreamKind): boolean {
  return kind === 'openai' || kind === 'anthropic' || kind === 'google'
}

/** How a model is asked; undefined = by chat completions. At OpenAI itself the name tells which models have nothing else. */
function apiOf(upstream: UpstreamConfig, { api, model }: FileConfig['models'][string]): Target['api'] {
  if (api !== undefined) return api === 'chat' ? undefined : api
  return upstream.kind === 'openai' && isAtOpenAi(upstream) && hasOnlyResponses(model) ? 'responses' : undefined
}

/** Without `routes`, `auto` goes between the local and the frontier models; where only one kind is there, both sides are that. */
function withDefaultRoute(raw: FileConfig, targets: ReadonlyMap<string, Target>): FileConfig {
  const names = [...targets.keys()]
  if (Object.keys(raw.routes).length > 0 || names.length === 0) return raw
  const local = names.filter((name) => targets.get(name)?.tier === 'local')
  const frontier = names.filter((name) => targets.get(name)?.tier === 'frontier')
  const auto = {
    small: local.length > 0 ? local : names,
    big: frontier.length > 0 ? frontier : names,
    fallback: 'cross-tier' as const,
  }
  return { ...raw, routes: { auto } }
}
