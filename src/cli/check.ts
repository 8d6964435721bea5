import type { Config, KeyConfig, RouteConfig, Target, UpstreamConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { formatUsd } from '../shared/money.ts'
import { redisAddress } from '../shared/redis-url.ts'
import type { Price } from '../shared/price.ts'
import { hasMadeKeys } from '../store/key-store.ts'
import { checkEncoder } from '../open-encoder.ts'
import { openScorer } from '../open-scorer.ts'
import { EXIT, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, parseConfigFlags } from './config-flags.ts'
import { styleFor, type Style } from './style.ts'

export const check: Command = {
  name: 'check',
  summary: 'check the configuration and print what is in force, secrets masked',
  usage: `switchyard check [flags]

Reads the configuration as "serve" would and prints the result, with the flag, variable or line that each setting comes from.
Exits 0 if the service would start, 2 with every problem if not.

${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const config = await loadConfig(parseConfigFlags(args), { env: io.env, cwd: io.cwd, hasMadeKeys })
    checkEncoder(config.encoder)
    openScorer(config.router, () => {})
    const style = styleFor(io.stdout, io.env)
    for (const line of describe(config, style)) io.stdout.write(`${line}\n`)
    return EXIT.ok
  },
}

function describe(config: Config, style: Style): readonly string[] {
  const section = (name: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', style.heading(name), ...lines.map((line) => `  ${line}`)]
  return [
    ...config.origins,
    ...config.remarks.map((remark) => style.warning(remark)),
    ...section('settings', settings(config, style)),
    ...section('what they mean', [
      `address ${config.server.host}:${config.server.port}, admin key ${config.server.adminKey === undefined ? `in ${config.dataDir}/admin.key` : '***'}`,
      storeLine(config),
      ...config.upstreams.map(upstreamLine),
      ...[...config.targets.values()].map(targetLine),
      ...Object.entries(config.routes).map(([name, route]) => routeLine(name, route)),
      ...Object.entries(config.aliases).map(([alias, meant]) => `alias ${alias} -> ${meant}`),
      ...config.keys.map(keyLine),
    ]),
    ...section('limits of tasks', taskTypes(config)),
  ]
}

/** One line per setting; what merely has its default is listed last. */
function settings({ provenance }: Config, style: Style): readonly string[] {
  const line = ({ setting, value, from }: Config['provenance'][number]): string =>
    `${setting} = ${value}  ${style.faint(`(${from})`)}`
  return [
    ...provenance.filter(({ from }) => from !== 'default').map(line),
    ...provenance.filter(({ from }) => from === 'default').map(line),
  ]
}

function storeLine({ store, dataDir, durability }: Config): string {
  if (store.kind === 'redis')
    return `books shared in Redis at ${redisAddress(store.url.reveal())}: several gateways may use them at the same time`
  return `books in ${dataDir}, of this gateway alone; they survive ${durability === 'power' ? 'a power cut' : 'a killed process'}`
}

function upstreamLine(upstream: UpstreamConfig): string {
  const { timeouts, breaker } = upstream
  const where = upstream.kind === 'simulated' ? 'in this process' : upstream.replicas.join(' ')
  const key = upstream.apiKey === undefined ? 'no key' : 'key ***'
  const off = breaker === 'off' ? 'breaker off' : `breaker ${breaker.failures} failures, ${breaker.openMs} ms`
  return `upstream ${upstream.name}: ${upstream.kind} ${where}, ${key}, retries ${upstream.retries}, time-outs ${timeouts.connectMs}/${timeouts.firstByteMs}/${timeouts.idleMs}/${timeouts.totalMs} ms, ${off}`
}

function targetLine(target: Target): string {
  const context = target.contextTokens === undefined ? 'context unknown' : `${target.contextTokens} tokens of context`
  return `model ${target.name}: ${target.model} at ${target.upstream}, ${target.tier}, ${context}, ${[...target.capabilities].join(' ')}; ${priceText(target.price)}`
}

function priceText(price: Price | undefined): string {
  if (price === undefined) return 'unpriced: costs are not shown'
  return `$${formatUsd(price.inputPerM)} in, $${formatUsd(price.outputPerM)} out per million tokens (${price.source})`
}

function routeLine(name: string, route: RouteConfig): string {
  const share = route.targetBigShare ?? 0.3
  const aim = route.costQuality === undefined ? `${share * 100} % to big` : `cost-quality ${route.costQuality}`
  return `route ${name}: small ${route.small.join(', ') || '-'}; big ${route.big.join(', ') || '-'}; ${aim}; fallback ${route.fallback}`
}

function keyLine(key: KeyConfig): string {
  const { limits } = key
  const words = [
    limits.maxUsdPerDay === undefined ? undefined : `$${formatUsd(limits.maxUsdPerDay)} a day`,
    limits.maxUsdPerMonth === undefined ? undefined : `$${formatUsd(limits.maxUsdPerMonth)} a month`,
    limits.requestsPerMinute === undefined ? undefined : `${limits.requestsPerMinute} requests a minute`,
    limits.tokensPerMinute === undefined ? undefined : `${limits.tokensPerMinute} tokens a minute`,
    limits.concurrency === undefined ? undefined : `${limits.concurrency} at the same time`,
    key.models === undefined ? undefined : `models ${key.models.join(' ')}`,
    key.expiresAtMs === undefined ? undefined : `until ${new Date(key.expiresAtMs).toISOString()}`,
    key.canTopUp ? 'may top up' : undefined,
    key.store ? 'may store responses' : undefined,
    key.metrics ? 'may read /metrics' : undefined,
  ].filter((each) => each !== undefined)
  return [`key ${key.name}: ***, tenant ${key.tenant}`, ...words].join(', ')
}

function taskTypes(config: Config): readonly string[] {
  return Object.entries(config.taskTypes).map(([name, limits]) => {
    const list = Object.entries(limits).filter(([, value]) => value !== undefined)
    return `${name}: ${list.map(([limit, value]) => `${limit} ${String(value)}`).join(', ')}`
  })
}
