/**
 * Composition root: the one place that knows every part. Read from top to bottom; what is opened here is closed in `close`.
 */
import type { AddressInfo } from 'node:net'
import { Access, type KeyCounts } from './access.ts'
import { WrapUpRouter } from './budget/wrap-up-router.ts'
import { openBudgeting, type Budgeting } from './budgeting.ts'
import { IdempotencyMemory } from './cache/idempotency-memory.ts'
import { CacheState, ExactCache, type ExactCacheOptions } from './cache/exact-cache.ts'
import { cachePolicies } from './cache/policies.ts'
import { keptAdminKey } from './config/admin-key.ts'
import type { Config } from './config/config.ts'
import { isLoopbackHost } from './config/resolve.ts'
import { ConfigError } from './config/problems.ts'
import { ControlSocketError, openControlSocket, type ControlSocket } from './control/control-socket.ts'
import { cacheOperations } from './control/cache-operations.ts'
import { ledgerOperations } from './control/ledger-operations.ts'
import { Operations } from './control/operations.ts'
import { prepareDataDir } from './data-dir.ts'
import { FeedbackKeeper } from './feedback-keeper.ts'
import { removeEventLines, removeOldEventLines } from './event-lines.ts'
import type { FinishedRequest, Reporter, Sender, Steps } from './gateway/steps.ts'
import type { Keyring } from './http/keyring.ts'
import type { Runtime } from './http/runtime.ts'
import { buildServer, type GatewayServer } from './http/server.ts'
import { openHoldBounds, type HoldBounds } from './hold-bounds.ts'
import { requires } from './protocol/openai-chat/requires.ts'
import { RecentAnswers } from './routing/answer-memory.ts'
import type { AcceptanceHead } from './routing/cascade/acceptance.ts'
import { acceptanceFile, loadAcceptanceHead } from './routing/cascade/acceptance-file.ts'
import { CascadeJudge, type CascadeSettings } from './routing/cascade/cascade-judge.ts'
import { loadEncoder, openEncoder } from './open-encoder.ts'
import type { Encoder } from './encoder/encoder.ts'
import { WarmPrefixes } from './routing/warm-prefix.ts'
import { createRouter } from './routing/router.ts'
import type { Scorer } from './routing/scorer.ts'
import { openIntents } from './open-intents.ts'
import type { IntentReader } from './routing/intent/intent-reader.ts'
import { openScorer } from './open-scorer.ts'
import { openGuard } from './open-guard.ts'
import { hashKey } from './shared/api-key.ts'
import type { SwitchyardError } from './shared/errors.ts'
import { createSimulator, type Simulator } from './simulator/simulator.ts'
import { EventLog } from './telemetry/event-log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { RequestLog } from './telemetry/request-log.ts'
import { EmbeddedSender } from './upstream/embedded/embedded-sender.ts'
import { LimitedModels } from './upstream/limited-models.ts'
import { RotatingFile } from './telemetry/rotating-file.ts'
import { taskEvents } from './telemetry/task-events.ts'
import { StoredResponses } from './stored-responses.ts'
import type { UpstreamOptions } from './upstream/options.ts'
import { UpstreamSender } from './upstream/sender.ts'

export interface AppOptions {
  /** Where log lines go; undefined = nowhere. */
  readonly log: { write(line: string): void } | undefined
  readonly version: string
}

export interface App {
  /** Throws ConfigError where the data directory is in use or open to others. */
  listen(): Promise<{ readonly url: string }>
  keys(): KeyCounts
  /** Takes a new configuration over; what cannot change while listening (address, log) stays. Throws where parts of it do not fit. */
  reload(config: Config): void
  /** `drain` lets running calls end within `drainSeconds`; `now` cuts them. */
  close(how: 'drain' | 'now'): Promise<void>
}

const now = (): number => performance.now()

/** Builds the whole service without listening. */
export async function buildApp(config: Config, options: AppOptions): Promise<App> {
  prepareDataDir(config.dataDir)
  const log = options.log === undefined ? undefined : new RequestLog(options.log)
  const metrics = new Metrics(() => sender.status())
  const encoder = openEncoder(config.encoder, {
    now,
    reporter: metrics.encoder,
    onEvent: (event) => log?.logger.warn(event),
  })
  const scorer = openScorer(config.router, (detail) => log?.logger.warn({ event: 'router-weights', detail }))
  // Before anything that would have to be closed again: of two services on one ledger the second ends here.
  const eventFile =
    config.events === undefined
      ? undefined
      : new RotatingFile(config.events, {
          maxBytes: config.retention.eventsMaxBytes,
          onTrouble: (error) =>
            log?.logger.warn({ event: 'events', detail: error === undefined ? 'written again' : String(error) }),
        })
  const events = eventFile === undefined ? undefined : new EventLog(eventFile)
  const bounds = openHoldBounds(upstreamOptions(config, undefined))
  const budgeting = await openBudgeting(config, {
    boundOf: bounds.boundOf,
    noteInput: bounds.noteInput,
    now,
    wallNow: Date.now,
    subjectKeys: () => access.subjectKeys,
    forgetEvents: async (tenant, requests) =>
      (await eventFile?.paused(() => removeEventLines(eventFile.path, tenant, requests))) ?? 0,
    forgetResponses: async (tenant, keys) => {
      answers.forget(tenant)
      cacheState.forget(tenant)
      prefixes.forget(tenant)
      await feedback.forget(tenant, keys)
      return responses.forget(tenant, keys)
    },
    expireEvents: async (beforeMs) => eventFile?.paused(() => removeOldEventLines(eventFile.path, beforeMs)),
    reporter: {
      refused: (code) => metrics.budget.refused(code),
      lowered: () => metrics.budget.lowered(),
      exceeded: () => metrics.budget.exceeded(),
      taskEnded(task) {
        metrics.budget.taskEnded(task.type, task.outcome, task.cost, task.toolCalls)
        events?.ended(task.tenant, task.id, task.outcome, task.cost, task.ms)
      },
      taskEntered: (state) => metrics.budget.taskEntered(state),
      toolCalled:
        events === undefined
          ? undefined
          : (tenant, task, tool) => events.toolCalled(tenant, task, tool.name, tool.arguments, tool.ms),
    },
    onEvent: (event) => log?.logger.warn(event),
  })
  const responses = new StoredResponses({
    dataDir: config.dataDir,
    wallNow: Date.now,
    onEvent: (event) => log?.logger.warn(event),
  })
  const feedback = new FeedbackKeeper({
    dataDir: config.dataDir,
    wallNow: Date.now,
    onEvent: (event) => log?.logger.warn(event),
  })
  metrics.budget.watch(() => budgeting.openMoney())
  const acceptance = loadAcceptanceHead(acceptanceFile(config.router.folder))
  const answers = new RecentAnswers()
  const cacheState = new CacheState(config.cache.maxBytes)
  metrics.cache.watch(cacheState.entries)
  const intents = openIntents(encoder, (event) => log?.logger.info(event))
  const prefixes = new WarmPrefixes(now)
  const adminKey = config.server.adminKey?.reveal() ?? keptAdminKey(config.dataDir)
  const simulator = await startSimulator(config)
  const senderOptions = { now, random: Math.random, userAgent: `switchyard/${options.version}` }
  const sender = new UpstreamSender(upstreamOptions(config, simulator?.url), senderOptions)
  const sending = new EmbeddedSender(encoder, sender)
  const reporter = reportTo([metrics, log, events, feedback].filter((each) => each !== undefined))
  const access = new Access(config, {
    adminSha256: hashKey(adminKey),
    now,
    wallNow: Date.now,
    onChange: () => (runtime = { ...runtime, keyring: access.keyring }),
    onEvent: (event) => log?.logger.info(event),
  })
  const operations = new Operations([
    ...access.operations,
    ...ledgerOperations(budgeting.upkeep),
    ...cacheOperations(cacheState),
  ])
  const limited = new LimitedModels(now)
  const runtimeOf = (next: Config): Runtime =>
    buildRuntime(
      next,
      { scorer, encoder, intents: intents.readerFor(next), answers, prefixes, acceptance },
      sending,
      limited,
      reporter,
      access.keyring,
      budgeting,
      bounds,
      { state: cacheState, onUnkept: (why) => metrics.cache.notKept(why) },
    )
  let current = config
  let runtime = runtimeOf(config)
  const defect = (id: string, error: SwitchyardError): void =>
    log?.logger.error({ event: 'defect', id, detail: error.detail })
  responses.start(() => current.retention.responsesDays)
  feedback.start(() => current.retention.feedbackDays)
  const server = buildServer({
    bodyLimitBytes: config.server.bodyLimitBytes,
    keepAliveMs: config.server.keepAliveSeconds * 1000,
    requestTimeoutMs: config.server.requestTimeoutSeconds * 1000,
    isLoopback: isLoopbackHost(config.server.host),
    runtime: () => runtime,
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    idempotency: new IdempotencyMemory(),
    operations,
    responses,
    feedback,
    tasks: budgeting.service,
    taskEvents: eventFile === undefined ? undefined : (tenant, id) => taskEvents(eventFile, tenant, id),
    now,
    onDefect: defect,
  })
  const encoderLoaded = loadEncoder(config.encoder, encoder)
  encoderLoaded.catch(() => {})
  let control: ControlSocket | undefined
  let closed: Promise<void> | undefined
  const closeAll = async (): Promise<void> => {
    await server.app.close()
    await control?.close()
    await budgeting.close()
    responses.close()
    feedback.close()
    access.close()
    await bounds.close()
    intents.close()
    encoder.close()
    eventFile?.close()
    await sender.close()
    await simulator?.close()
  }
  return {
    keys: () => access.counts(),
    async listen() {
      await encoderLoaded
      // Before the first request: of two services on one directory the second must not serve.
      control = await openControl(config.dataDir, operations, (error) => defect('control', error))
      const url = await server.app.listen({ host: config.server.host, port: config.server.port })
      const { port } = server.app.server.address() as AddressInfo
      const host = config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host
      return { url: url.startsWith('http') ? `http://${host}:${port}` : url }
    },
    reload(next) {
      const unserved = simulatedModels(next).filter((model) => !simulatedModels(config).includes(model))
      if (unserved.length > 0) {
        const sentence = `the simulator of this process serves what it was started with; ${unserved.join(', ')} needs a restart.`
        throw new ConfigError([{ setting: 'models', line: undefined, sentence }], undefined)
      }
      // Built first: if the new one does not fit together, nothing has changed.
      const built = runtimeOf(next)
      access.reload(next)
      sender
        .reload(upstreamOptions(next, simulator?.url))
        .catch((error: unknown) => log?.logger.warn({ event: 'reload', detail: String(error) }))
      budgeting.reload(next)
      bounds.reload(upstreamOptions(next, undefined))
      runtime = { ...built, keyring: access.keyring }
      current = next
    },
    async close(how) {
      await drain(server, how === 'now' ? 0 : current.server.drainSeconds)
      // A second call cuts the first one's drain short; what was opened is closed once.
      closed ??= closeAll()
      await closed
    },
  }
}

function buildRuntime(
  config: Config,
  routing: {
    readonly scorer: Scorer
    readonly encoder: Encoder
    readonly intents: IntentReader
    readonly answers: RecentAnswers
    readonly prefixes: WarmPrefixes
    readonly acceptance: AcceptanceHead
  },
  sender: Sender,
  limited: LimitedModels,
  reporter: Reporter,
  keyring: Keyring,
  budgeting: Budgeting,
  bounds: Pick<HoldBounds, 'count'>,
  memory: Pick<ExactCacheOptions, 'state' | 'onUnkept'>,
): Runtime {
  const router = createRouter({
    targets: config.served,
    routes: config.routes,
    aliases: config.aliases,
    ...routing,
    encoderBand: config.encoder.routingBand,
    requires,
    now,
    random: Math.random,
  })
  const cascades = cascadesOf(config)
  const cache = new ExactCache({
    ...memory,
    settings: {
      policyOf: cachePolicies({
        mode: config.cache.mode,
        routes: config.routes,
        aliases: config.aliases,
        targets: config.served,
        routeOf: (model) => router.routeOf(model),
      }),
      scope: config.cache.scope,
      ttlMs: config.cache.ttlSeconds * 1000,
    },
    now,
    random: Math.random,
  })
  const guard = openGuard(config, (model) => router.routeOf(model))
  const steps: Steps = {
    guard,
    admitter: budgeting.admitter,
    cache,
    router: new WrapUpRouter(limited.behind(router)),
    ledger: budgeting.ledger,
    sender: limited.noting(sender),
    judge: new CascadeJudge((route) => cascades.get(route), routing.acceptance),
    reporter,
    now,
  }
  return {
    keyring,
    steps,
    cache,
    models: router.listModels(),
    allowedOrigins: new Set(config.server.allowedOrigins),
    passFields: new Set(config.upstreams.flatMap((upstream) => upstream.passFields)),
    textLimitBytes: config.server.textLimitBytes,
    countTokens: async (request, caller, signal) => {
      // A provider that counts sees the prompt too.
      const { request: screened, limits } = guard.screenRequest(request, caller)
      return bounds.count(screened, router.firstTarget(request.model, caller.models, limits), signal)
    },
  }
}

/** Settings of the routes whose answers are judged. */
function cascadesOf({ routes, targets }: Config): ReadonlyMap<string, CascadeSettings> {
  const settings = new Map<string, CascadeSettings>()
  for (const [name, { cascade }] of Object.entries(routes)) {
    if (cascade === 'off') continue
    settings.set(name, {
      ...cascade,
      checks: new Set(cascade.checks),
      secondOpinions: cascade.secondOpinions.flatMap((each) => targets.get(each) ?? []),
    })
  }
  return settings
}

function upstreamOptions(config: Config, simulatorUrl: string | undefined): readonly UpstreamOptions[] {
  return config.upstreams.map((upstream) => ({
    ...upstream,
    replicas: upstream.kind === 'simulated' && simulatorUrl !== undefined ? [`${simulatorUrl}/v1`] : upstream.replicas,
  }))
}

function simulatedModels(config: Config): readonly string[] {
  return [...config.targets.values()].filter((target) => target.kind === 'simulated').map((target) => target.model)
}

/** Throws ConfigError where the data directory cannot have one, or another service has. */
async function openControl(...given: Parameters<typeof openControlSocket>): Promise<ControlSocket> {
  try {
    return await openControlSocket(...given)
  } catch (error) {
    if (!(error instanceof ControlSocketError)) throw error
    throw new ConfigError([{ setting: 'dataDir', line: undefined, sentence: error.message }], undefined)
  }
}

/** The simulator of zero configuration: in this process, behind a real socket like every other upstream. */
async function startSimulator(
  config: Config,
): Promise<(Pick<Simulator, 'close'> & { readonly url: string }) | undefined> {
  if (!config.upstreams.some((upstream) => upstream.kind === 'simulated')) return undefined
  const models = simulatedModels(config)
  const simulator = createSimulator({
    flavour: 'openai',
    models,
    profiles: Object.fromEntries(models.map((model) => [model, /big/.test(model) ? '70B/H100' : '7-8B/L40S'])),
    // Real time would make a first look slow; twenty times faster still shows which model is the slower one.
    speed: 20,
    isMarked: true,
  })
  const { url } = await simulator.listen(0)
  return { url, close: () => simulator.close() }
}

function reportTo(reporters: readonly Reporter[]): Reporter {
  return {
    finished(record: FinishedRequest): void {
      for (const reporter of reporters) reporter.finished(record)
    },
  }
}

async function drain(server: GatewayServer, seconds: number): Promise<void> {
  server.startDraining()
  if (server.calls.size === 0) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), seconds * 1000)
  })
  const how = await Promise.race([server.calls.whenIdle(), late])
  clearTimeout(timer)
  if (how === 'late') {
    server.calls.cut()
    await server.calls.whenIdle()
  }
}
