import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Unavailable, type Contender, type Ground, type Running } from '../support/contender.ts'
import type { Api } from '../support/bodies.ts'
import { launch } from '../support/launch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const KEY = 'sk-test-benchmark'

/** Everything a deployment has: keys with a rate limit, two tiers with prices, routing by `auto`, metrics and log. */
function configuration(mockUrl: string, out: 'openai' | 'anthropic'): string {
  const upstream =
    out === 'openai'
      ? `{ kind: vllm, replicas: ["${mockUrl}"] }`
      : `{ kind: anthropic, baseUrl: "${mockUrl}", apiKey: "env:SWITCHYARD_BENCH_KEY", ask: as-asked }`
  return `upstreams:
  small: ${upstream}
  big: ${upstream}
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
  /** The APIs that its callers and its upstream speak; OpenAI's chat if left out. */
  readonly speaks?: { readonly in: Api; readonly out: 'openai' | 'anthropic' }
}

/** The real process, started as a user would: file, flags, own data folder, no provider keys, no probing. */
export function switchyard(options: SwitchyardOptions = {}): Contender & { start(ground: Ground): Promise<Running> } {
  const { in: api, out } = options.speaks ?? { in: 'chat', out: 'openai' }
  const name = options.speaks === undefined ? 'switchyard' : `${api === 'chat' ? 'openai' : 'anthropic'} to ${out}`
  return {
    name,
    does: 'keys, validation, routing, prices, metrics, log',
    async start(ground) {
      if (!existsSync(main)) throw new Unavailable('src/main.ts does not exist')
      const config = `${ground.folder}/switchyard.yaml`
      writeFileSync(config, configuration(ground.mock.url, out))
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
      const path = api === 'chat' ? 'chat/completions' : 'messages'
      return { name, service, url: `${service.url}/v1/${path}`, headers, api }
    },
  }
}
