/**
 * Composition root: the one place that knows every part. Read from top to bottom; what is opened here is closed in `close`.
 */
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { KeyAdmitter } from './budget/key-admitter.ts'
import { RateLimit } from './budget/rate-limit.ts'
import { UnlimitedLedger } from './budget/unlimited-ledger.ts'
import { IdempotencyMemory } from './cache/idempotency-memory.ts'
import { NoCache } from './cache/no-cache.ts'
import { keptAdminKey } from './config/admin-key.ts'
import type { Config, KeyConfig } from './config/config.ts'
import { ConfigError } from './config/problems.ts'
import { isLoopbackHost } from './config/resolve.ts'
import { AcceptAll } from './gateway/accept-all.ts'
import type { Caller, FinishedRequest, KeyLimiter, Reporter, Steps } from './gateway/steps.ts'
import { hashKey, Keyring } from './http/keyring.ts'
import type { Runtime } from './http/runtime.ts'
import { buildServer, type GatewayServer } from './http/server.ts'
import { requires } from './protocol/openai-chat/requires.ts'
import { createRouter } from './routing/router.ts'
import type { Scorer } from './routing/scorer.ts'
import { loadTrainedScorer } from './routing/trained-scorer.ts'
import { createSimulator, type Simulator } from './simulator/simulator.ts'
import { Metrics } from './telemetry/metrics.ts'
import { RequestLog } from './telemetry/request-log.ts'
import { LimitedModels } from './upstream/limited-models.ts'
import type { UpstreamOptions } from './upstream/options.ts'
import { UpstreamSender } from './upstream/sender.ts'

export interface AppOptions {
  /** Where log lines go; undefined = nowhere. */
  readonly log: { write(line: string): void } | undefined
  readonly version: string
}

export interface App {
  listen(): Promise<{ readonly url: string }>
  /** Takes a new configuration over; what cannot change while listening (address, log) stays. Throws where parts of it do not fit. */
  reload(config: Config): void
  /** `drain` lets running calls end within `drainSeconds`; `now` cuts them. */
  close(how: 'drain' | 'now'): Promise<void>
}

const ROUTER_MODEL = fileURLToPath(new URL('../router-models/first-router', import.meta.url))
const now = (): number => performance.now()

/** Builds the whole service without listening. */
export async function buildApp(config: Config, options: AppOptions): Promise<App> {
  const log = options.log === undefined ? undefined : new RequestLog(options.log)
  const scorer = loadTrainedScorer(ROUTER_MODEL)
  const adminKey =
    config.server.adminKey?.reveal() ?? (config.keys.length > 0 ? keptAdminKey(config.dataDir) : undefined)
  const simulator = await startSimulator(config)
  const senderOptions = { now, random: Math.random, userAgent: `switchyard/${options.version}` }
  const sender = new UpstreamSender(upstreamOptions(config, simulator?.url), senderOptions)
  const metrics = new Metrics(() => sender.status())
  const reporter = reportTo(log === undefined ? [metrics] : [metrics, log])
  const limiters = new Limiters()
  const limited = new LimitedModels(now)
  const runtimeOf = (next: Config): Runtime => buildRuntime(next, scorer, sender, limited, reporter, limiters, adminKey)
  let current = config
  let runtime = runtimeOf(config)
  const server = buildServer({
    bodyLimitBytes: config.server.bodyLimitBytes,
    keepAliveMs: config.server.keepAliveSeconds * 1000,
    requestTimeoutMs: config.server.requestTimeoutSeconds * 1000,
    isLoopback: isLoopbackHost(config.server.host),
    runtime: () => runtime,
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    idempotency: new IdempotencyMemory(),
    now,
    onDefect: (id, error) => log?.logger.error({ event: 'defect', id, detail: error.detail }),
  })
  return {
    async listen() {
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
      sender
        .reload(upstreamOptions(next, simulator?.url))
        .catch((error: unknown) => log?.logger.warn({ event: 'reload', detail: String(error) }))
      runtime = built
      current = next
    },
    async close(how) {
      await drain(server, how === 'now' ? 0 : current.server.drainSeconds)
      await server.app.close()
      await sender.close()
      await simulator?.close()
    },
  }
}

function buildRuntime(
  config: Config,
  scorer: Scorer,
  sender: UpstreamSender,
  limited: LimitedModels,
  reporter: Reporter,
  limiters: Limiters,
  adminKey: string | undefined,
): Runtime {
  const router = createRouter({
    targets: config.targets,
    routes: config.routes,
    aliases: config.aliases,
    scorer,
    requires,
    now,
    random: Math.random,
  })
  const steps: Steps = {
    admitter: new KeyAdmitter(),
    cache: new NoCache(),
    router: limited.behind(router),
    ledger: new UnlimitedLedger(),
    sender: limited.noting(sender),
    judge: new AcceptAll(),
    reporter,
    now,
  }
  const entries = config.keys.map((key) => ({
    sha256: key.sha256,
    caller: callerOf(key, limiters),
    mayReadMetrics: key.metrics,
  }))
  const anonymous: Caller = {
    tenant: 'default',
    key: 'anonymous',
    models: undefined,
    unknownFields: 'drop',
    limiter: undefined,
  }
  return {
    keyring: new Keyring(entries, anonymous, adminKey === undefined ? undefined : hashKey(adminKey)),
    steps,
    models: router.listModels(),
    allowedOrigins: new Set(config.server.allowedOrigins),
    passFields: new Set(config.upstreams.flatMap((upstream) => upstream.passFields)),
    textLimitBytes: config.server.textLimitBytes,
  }
}

function callerOf(key: KeyConfig, limiters: Limiters): Caller {
  return {
    tenant: key.tenant,
    key: key.name,
    models: key.models === undefined ? undefined : new Set(key.models),
    unknownFields: key.unknownFields,
    limiter: limiters.of(key),
  }
}

/** Rate limits outlive a reload: re-reading the file must not hand out a fresh minute. */
class Limiters {
  readonly #known = new Map<string, { readonly limits: string; readonly limiter: KeyLimiter }>()

  of(key: KeyConfig): KeyLimiter | undefined {
    const { requestsPerMinute, tokensPerMinute } = key
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return undefined
    const limits = `${requestsPerMinute}/${tokensPerMinute}`
    const known = this.#known.get(key.name)
    if (known?.limits === limits) return known.limiter
    const limiter = new RateLimit(requestsPerMinute, tokensPerMinute, now)
    this.#known.set(key.name, { limits, limiter })
    return limiter
  }
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
