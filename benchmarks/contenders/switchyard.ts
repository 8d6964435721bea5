import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Unavailable, type Contender, type Ground, type Running } from '../support/contender.ts'
import { launch } from '../support/launch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const KEY = 'sk-test-benchmark'

/** Everything a deployment has: keys with a rate limit, two tiers with prices, routing by `auto`, metrics and log. */
function configuration(mockUrl: string): string {
  return `upstreams:
  small: { kind: vllm, replicas: ["${mockUrl}"] }
  big: { kind: vllm, replicas: ["${mockUrl}"] }
models:
  mock-small: { upstream: small, model: mock-small, tier: local, contextTokens: 131072, price: { inputPerM: 0.05, outputPerM: 0.20 } }
  mock-big: { upstream: big, model: mock-big, tier: frontier, contextTokens: 131072, price: { inputPerM: 1.25, outputPerM: 10 } }
routes:
  auto: { small: [mock-small], big: [mock-big], targetBigShare: 0.3 }
keys:
  - { name: bench, key: env:SWITCHYARD_BENCH_KEY, tenant: bench, requestsPerMinute: 1000000000 }
`
}

export interface SwitchyardOptions {
  /** Flags for Node itself, such as the inspector's. */
  readonly nodeArgs?: readonly string[]
}

/** The real process, started as a user would: file, flags, own data folder, no provider keys, no probing. */
export function switchyard(options: SwitchyardOptions = {}): Contender & { start(ground: Ground): Promise<Running> } {
  return {
    name: 'switchyard',
    does: 'keys, validation, routing, prices, metrics, log',
    async start(ground) {
      if (!existsSync(main)) throw new Unavailable('src/main.ts does not exist')
      const config = `${ground.folder}/switchyard.yaml`
      writeFileSync(config, configuration(ground.mock.url))
      const service = await launch({
        name: 'switchyard',
        command: process.execPath,
        args: [
          // As `npm start` does.
          '--max-semi-space-size=16',
          ...(options.nodeArgs ?? []),
          main,
          'serve',
          '--config',
          config,
          '--port',
          '0',
          '--data-dir',
          `${ground.folder}/data`,
          '--no-detect',
        ],
        env: { SWITCHYARD_BENCH_KEY: KEY },
        cwd: ground.folder,
        core: ground.core,
        ready: /switchyard listening on (http:\S+)/,
        timeoutMs: 20_000,
        logFile: `${ground.folder}/output.log`,
      })
      const headers = { authorization: `Bearer ${KEY}` }
      return { name: 'switchyard', service, url: `${service.url}/v1/chat/completions`, headers }
    },
  }
}
