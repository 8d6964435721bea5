import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { formatUsd } from '../shared/money.ts'
import { EXIT, type Command } from './command.ts'
import { CONFIG_FLAGS_HELP, parseConfigFlags } from './config-flags.ts'

export const check: Command = {
  name: 'check',
  summary: 'check the configuration and print what is in force, secrets masked',
  usage: `switchyard check [flags]

Reads the configuration as "serve" would and prints the result. Exits 0 if the service would start, 2 with every problem if not.

${CONFIG_FLAGS_HELP}`,
  async run(args, io) {
    const config = await loadConfig(parseConfigFlags(args), { env: io.env, cwd: io.cwd })
    for (const line of describe(config)) io.stdout.write(`${line}\n`)
    return EXIT.ok
  },
}

function describe(config: Config): readonly string[] {
  const { server } = config
  const lines = [
    ...config.origins,
    ...config.remarks,
    `server: ${server.host}:${server.port}, body up to ${server.bodyLimitBytes} bytes, drains for ${server.drainSeconds} s, admin key ${server.adminKey === undefined ? 'in the data directory' : '***'}`,
    `data: ${config.dataDir}`,
    `log: ${config.log}`,
  ]
  for (const upstream of config.upstreams) {
    const { timeouts } = upstream
    lines.push(
      `upstream ${upstream.name}: ${upstream.kind} ${upstream.replicas.join(' ')}${upstream.apiKey === undefined ? '' : ', key ***'}, retries ${upstream.retries}, time-outs ${timeouts.connectMs}/${timeouts.firstByteMs}/${timeouts.idleMs}/${timeouts.totalMs} ms, breaker ${upstream.breaker === 'off' ? 'off' : `${upstream.breaker.failures} failures, ${upstream.breaker.openMs} ms`}`,
    )
  }
  for (const target of config.targets.values()) {
    const price =
      target.price === undefined
        ? 'unpriced: costs are not shown'
        : `$${formatUsd(target.price.inputPerM)} in, $${formatUsd(target.price.outputPerM)} out per million tokens (${target.price.source})`
    lines.push(
      `model ${target.name}: ${target.model} at ${target.upstream}, ${target.tier}, ${target.contextTokens ?? 'unknown'} tokens of context, ${[...target.capabilities].join(' ')}; ${price}`,
    )
  }
  for (const [name, route] of Object.entries(config.routes)) {
    const aim =
      route.costQuality === undefined
        ? `${(route.targetBigShare ?? 0.3) * 100} % to big`
        : `cost-quality ${route.costQuality}`
    lines.push(
      `route ${name}: small ${route.small.join(', ') || '-'}; big ${route.big.join(', ') || '-'}; ${aim}; fallback ${route.fallback}`,
    )
  }
  for (const [alias, meant] of Object.entries(config.aliases)) lines.push(`alias ${alias} -> ${meant}`)
  for (const key of config.keys) {
    lines.push(
      `key ${key.name}: ***, tenant ${key.tenant}${key.requestsPerMinute === undefined ? '' : `, ${key.requestsPerMinute} requests a minute`}${key.tokensPerMinute === undefined ? '' : `, ${key.tokensPerMinute} tokens a minute`}${key.models === undefined ? '' : `, models ${key.models.join(' ')}`}`,
    )
  }
  for (const [name, limits] of Object.entries(config.taskTypes))
    lines.push(`task type ${name}: ${JSON.stringify(limits)}`)
  return lines
}
