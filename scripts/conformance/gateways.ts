/** Ready set-ups: a gateway started on loopback with the scripted upstream as its only provider. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { litellm } from '../../benchmarks/contenders/litellm.ts'
import { mendedPortkey } from '../../benchmarks/contenders/portkey.ts'
import type { Contender } from '../../benchmarks/support/contender.ts'
import { peerCache } from '../../benchmarks/support/install.ts'
import { launch } from '../../benchmarks/support/launch.ts'
import type { Target } from './probe.ts'

export const GATEWAYS = ['switchyard', 'portkey', 'litellm'] as const
export type GatewayName = (typeof GATEWAYS)[number]

export interface RunningGateway {
  readonly target: Target
  /** Package, version and what was left out, for the reader of the table. */
  readonly setUp: string
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const KEY = 'sk-test-conformance'

/** Time-outs are short, so that the rows about silence take seconds; the breaker is off, since most of the list is faults. */
const config = (upstream: string): string => `upstreams:
  scripted: { kind: openai, baseUrl: "${upstream}", apiKey: env:CONFORMANCE_UPSTREAM_KEY, breaker: off, timeouts: { connectMs: 1000, firstByteMs: 1500, idleMs: 1500, totalMs: 60000 } }
models:
  scripted: { upstream: scripted, model: scripted-model, tier: frontier, contextTokens: 1000000, price: { inputPerM: 0.01, outputPerM: 0.01 } }
routes:
  auto: { small: [scripted], big: [scripted], targetBigShare: 0.5 }
keys:
  - { name: conformance, key: env:CONFORMANCE_KEY, tenant: conformance }
`

/** Starts a gateway in front of the upstream (`http://.../v1`). Throws `Unavailable` where it cannot run here. */
export function startGateway(
  name: GatewayName,
  upstream: string,
  note: (text: string) => void,
): Promise<RunningGateway> {
  switch (name) {
    case 'switchyard':
      return startSwitchyard(upstream)
    case 'portkey':
      return startPeer(mendedPortkey, upstream, note)
    case 'litellm':
      return startPeer(litellm, upstream, note)
    default:
      return name satisfies never
  }
}

async function startSwitchyard(upstream: string): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-conformance-'))
  const file = join(folder, 'switchyard.yaml')
  writeFileSync(file, config(upstream))
  const flags = ['--config', file, '--port', '0', '--data-dir', join(folder, 'data'), '--no-detect']
  const service = await launch({
    name: 'switchyard',
    command: process.execPath,
    args: [MAIN, 'serve', ...flags],
    env: { CONFORMANCE_KEY: KEY, CONFORMANCE_UPSTREAM_KEY: 'sk-test-upstream' },
    cwd: folder,
    ready: /switchyard listening on (http:\S+)/,
    timeoutMs: 20_000,
    logFile: join(folder, 'output.log'),
  })
  return {
    target: { url: `${service.url}/v1`, model: 'scripted', headers: { authorization: `Bearer ${KEY}` } },
    setUp: 'this checkout, provider kind `openai`, breaker off, 1.5 s without a byte end an answer',
    stop: async () => {
      await service.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The peers as the benchmarks run them. */
async function startPeer(
  contender: Contender,
  upstream: string,
  note: (text: string) => void,
): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), `switchyard-conformance-${contender.name}-`))
  const mock = { url: new URL(upstream).origin }
  const running = await contender.start({ mock, core: undefined, folder, cache: peerCache, note })
  return {
    target: { url: running.url.replace(/\/chat\/completions$/, ''), model: 'auto', headers: running.headers },
    setUp: contender.does,
    stop: async () => {
      await running.service.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
