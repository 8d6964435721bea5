/** A simulated provider with its own bill, and a real gateway process whose prices are the provider's. */
import { onTestFinished } from 'vitest'
import type { FaultRule } from '../../src/simulator/faults.ts'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'

export const PRICE = { inputPerM: 3, outputPerM: 15 }
export const KEY = 'sk-test'
export const ADMIN_KEY = 'sk-admin-test'

export interface MoneyWorld {
  readonly simulator: Simulator
  readonly gateway: GatewayProcess
  chat(body?: object, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** A request to another route, as JSON, with the admin key. */
  admin(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Response>
  task(id: string): Promise<TaskPage>
}
export interface TaskPage {
  readonly id: string
  readonly state: string
  readonly spent: {
    readonly usd: string
    readonly nano_usd: number
    readonly tokens: number
    readonly model_calls: number
    readonly tool_calls: number
  }
  readonly held_nano_usd: number
  readonly unresolved_nano_usd: number
  readonly remaining_nano_usd: number | null
  readonly attempts: readonly { readonly id: string; readonly state: string; readonly cost_nano_usd: number | null }[]
}

export interface MoneyWorldOptions {
  readonly profile?: string
  readonly speed?: number
  readonly faults?: readonly FaultRule[]
  /** More lines of the configuration. */
  readonly config?: string
  readonly key?: string
  readonly upstream?: string
  readonly ownedByTest?: boolean
}

export async function startSimulatedProvider(
  options: MoneyWorldOptions = {},
): Promise<{ simulator: Simulator; url: string }> {
  const simulator = createSimulator({
    flavour: 'openai',
    models: ['sim'],
    profiles: { sim: options.profile ?? 'instant' },
    speed: options.speed ?? 1,
    isMarked: false,
    prices: { sim: PRICE },
    showsMeter: true,
    faults: options.faults ?? [],
  })
  const { url } = await simulator.listen(0)
  return { simulator, url }
}

export function moneyConfig(url: string, options: MoneyWorldOptions = {}): string {
  return `
server: { drainSeconds: 5, adminKey: env:TEST_ADMIN_KEY }
upstreams:
  sim: { kind: openai, baseUrl: "${url}/v1", breaker: off, ask: as-asked, ${options.upstream ?? 'retries: 0'} }
models:
  paid: { upstream: sim, model: sim, price: { inputPerM: ${PRICE.inputPerM}, outputPerM: ${PRICE.outputPerM} } }
  unpriced: { upstream: sim, model: sim, tier: local }
keys:
  - { name: ci, key: ${KEY}, tenant: acme, ${options.key ?? 'canTopUp: true'} }
  - { name: other, key: sk-other, tenant: globex }
telemetry: { log: off }
${options.config ?? ''}
`
}

export async function startMoneyWorld(options: MoneyWorldOptions = {}): Promise<MoneyWorld> {
  const { simulator, url } = await startSimulatedProvider(options)
  onTestFinished(() => simulator.close())
  const gateway = await startGatewayProcess({ config: moneyConfig(url, options), env: { TEST_ADMIN_KEY: ADMIN_KEY } })
  return moneyWorld(simulator, () => gateway)
}

export function moneyWorld(simulator: Simulator, gateway: () => GatewayProcess): MoneyWorld {
  const admin: MoneyWorld['admin'] = (method, path, body, headers = {}) =>
    fetch(gateway().url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    simulator,
    get gateway() {
      return gateway()
    },
    chat: (body = {}, headers = {}) =>
      fetch(`${gateway().url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model: 'paid', messages: [{ role: 'user', content: 'Say something.' }], ...body }),
      }),
    admin,
    task: async (id) => {
      const reply = await admin('GET', `/v1/tasks/${id}`, undefined, { authorization: `Bearer ${KEY}` })
      return (await reply.json()) as TaskPage
    },
  }
}
