/** A service that is killed while answers run, and a provider that knows what each of its models has billed. */
import { onTestFinished } from 'vitest'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'
import { ADMIN_KEY, KEY, PRICE } from './money-world.ts'
import { runCommand, type CommandResult } from './run-command.ts'

export const MODELS = ['one', 'two', 'three'] as const

export interface KillWorld {
  readonly simulator: Simulator
  readonly config: string
  /** The first service, which has been killed; its folder is still there. */
  readonly dir: string
  start(): Promise<GatewayProcess>
  run(...args: readonly string[]): Promise<CommandResult>
}

/** Ids and holds of attempts as `reconcile --json` shows them. */
export interface Listed {
  readonly id: string
  readonly state: string
  readonly model: string
  readonly hold_nano_usd: number
  readonly cost_nano_usd: number | null
  readonly evidence: string | null
  readonly settled_by: string | null
}

/** One answered call per model, then one per model that is cut by kill -9 in the middle of its answer. */
export async function killedService(more = ''): Promise<KillWorld> {
  const simulator = createSimulator({
    flavour: 'openai',
    models: [...MODELS],
    profiles: Object.fromEntries(MODELS.map((model) => [model, '7-8B/L40S'])),
    speed: 4,
    isMarked: false,
    prices: Object.fromEntries(MODELS.map((model) => [model, PRICE])),
    showsMeter: true,
    faults: [],
  })
  const { url } = await simulator.listen(0)
  onTestFinished(() => simulator.close())
  const price = `price: { inputPerM: ${PRICE.inputPerM}, outputPerM: ${PRICE.outputPerM} }`
  const config = `
server: { drainSeconds: 5, adminKey: env:TEST_ADMIN_KEY }
upstreams:
  sim: { kind: openai, baseUrl: "${url}/v1", breaker: off, ask: as-asked, retries: 0 }
models:
${MODELS.map((model) => `  ${model}: { upstream: sim, model: ${model}, ${price} }`).join('\n')}
keys:
  - { name: ci, key: ${KEY}, tenant: acme, canTopUp: true }
telemetry: { log: off, events: ./data/events.jsonl }
${more}`
  const start = (dir?: string): Promise<GatewayProcess> =>
    startGatewayProcess({ config, env: { TEST_ADMIN_KEY: ADMIN_KEY }, ...(dir === undefined ? {} : { dir }) })
  const first = await start()
  for (const model of MODELS) await (await chat(first, model, { max_tokens: 5 })).text()
  const cut = MODELS.map(async (model) => {
    const reply = await chat(first, model, { max_tokens: 400, stream: true })
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    return reader
  })
  const readers = await Promise.all(cut)
  first.signal('SIGKILL')
  await first.exited
  await Promise.all(readers.map((reader) => reader.cancel().catch(() => {})))
  // The provider notices late, and bills what it has generated until then.
  while (simulator.running > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  return {
    simulator,
    config,
    dir: first.dir,
    start: () => start(first.dir),
    run: (...args) =>
      runCommand(args, { cwd: first.dir, env: { SWITCHYARD_ADMIN_KEY: ADMIN_KEY, TEST_ADMIN_KEY: ADMIN_KEY } }),
  }
}

export function chat(
  gateway: GatewayProcess,
  model: string,
  body: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'x-task-id': 'agent',
      ...headers,
    },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say something long.' }], ...body }),
  })
}

/** What each model was billed beyond what the ledger has settled for it: the provider's usage export. */
export function billedBeyond(simulator: Simulator, settled: (model: string) => number): Map<string, number> {
  return new Map(
    MODELS.map((model) => [model, Number(simulator.meter.rows().get(model)?.nanoUsd ?? 0n) - settled(model)]),
  )
}
