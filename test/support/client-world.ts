/** A real gateway process with simulated providers of several kinds behind it, whose own meters judge what a task has cost. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import type { Flavour } from '../../src/simulator/wire.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'
import type { TaskPage } from './money-world.ts'

/** Wires that every client is played against: an engine's, and two providers' own. */
export const WIRES_BEHIND: readonly WireBehind[] = ['vllm', 'anthropic', 'google']
export type WireBehind = Extract<Flavour, 'vllm' | 'anthropic' | 'google'>

/** What a client needs to know of the service to make one run of an agent. */
export interface Target {
  readonly url: string
  readonly model: string
  readonly apiKey: string
  readonly taskId: string
}

export interface ClientWorld {
  readonly simulators: Readonly<Record<WireBehind, Simulator>>
  /** A run of its own: a task that nothing else is booked to. */
  target(wire: WireBehind, changes?: Partial<Target>): Target
  task(id: string): Promise<TaskPage>
  /** What the provider's meter has counted since the test began. */
  billed(wire: WireBehind): Billed
}
export interface Billed {
  readonly requests: number
  readonly input: number
  readonly output: number
  readonly thinking: number
  readonly nanoUsd: bigint
}

/** Model `thinker`: of Anthropic's, with signed thinking, which its simulator checks when it comes back. */
export const THINKER = 'thinker'
const THINKING_MODEL = 'claude-sonnet-4-5'
const PRICE = { inputPerM: 3, outputPerM: 15 }
const KEY = 'sk-test'
/** A key under which responses of the Responses API are stored, as they are at OpenAI. */
export const STORING_KEY = 'sk-storing-test'

/** Call at the top of a test file. Model `WIRE` answers at once, `WIRE-slow` in the time that a big model takes. */
export function clientWorld(): ClientWorld {
  const simulators = {} as Record<WireBehind, Simulator>
  let gateway: (GatewayProcess & { stop(): Promise<void> }) | undefined
  let before: Readonly<Record<WireBehind, Billed>>
  let tasks = 0
  const sum = (wire: WireBehind): Billed => {
    const rows = [...simulators[wire].meter.rows().values()]
    const total = (of: 'requests' | 'input' | 'output' | 'thinking'): number =>
      rows.reduce((all, row) => all + row[of], 0)
    return {
      requests: total('requests'),
      input: total('input'),
      output: total('output'),
      thinking: total('thinking'),
      nanoUsd: simulators[wire].meter.total(),
    }
  }
  beforeAll(async () => {
    const urls = {} as Record<WireBehind, string>
    for (const wire of WIRES_BEHIND) {
      simulators[wire] = createSimulator({
        flavour: wire,
        models: [wire, `${wire}-slow`, ...(wire === 'anthropic' ? [THINKING_MODEL] : [])],
        profiles: { [`${wire}-slow`]: '70B/H100' },
        speed: 1,
        isMarked: false,
        prices: { [wire]: PRICE, [`${wire}-slow`]: PRICE, [THINKING_MODEL]: PRICE },
      })
      urls[wire] = (await simulators[wire].listen(0)).url
    }
    gateway = await startGatewayProcess({
      config: config(urls),
      env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
      ownedByTest: false,
    })
  })
  beforeEach(() => {
    before = { vllm: sum('vllm'), anthropic: sum('anthropic'), google: sum('google') }
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all(Object.values(simulators).map((each) => each.close()))
  })
  return {
    simulators,
    target: (wire, changes = {}) => ({
      url: gateway?.url ?? '',
      model: wire,
      apiKey: KEY,
      taskId: `run-${(tasks += 1)}`,
      ...changes,
    }),
    task: async (id) => {
      const reply = await fetch(`${gateway?.url}/v1/tasks/${id}`, { headers: { authorization: `Bearer ${KEY}` } })
      return (await reply.json()) as TaskPage
    },
    billed: (wire) => {
      const now = sum(wire)
      return {
        requests: now.requests - before[wire].requests,
        input: now.input - before[wire].input,
        output: now.output - before[wire].output,
        thinking: now.thinking - before[wire].thinking,
        nanoUsd: now.nanoUsd - before[wire].nanoUsd,
      }
    },
  }
}

function config(urls: Readonly<Record<WireBehind, string>>): string {
  const upstreams = {
    vllm: `kind: vllm, replicas: ["${urls.vllm}"]`,
    anthropic: `kind: anthropic, baseUrl: "${urls.anthropic}", apiKey: env:TEST_UPSTREAM_KEY`,
    google: `kind: google, baseUrl: "${urls.google}", apiKey: env:TEST_UPSTREAM_KEY`,
  }
  const price = `price: { inputPerM: ${PRICE.inputPerM}, outputPerM: ${PRICE.outputPerM} }`
  const model = (name: string, wire: string, real = name): string =>
    `  ${name}: { upstream: ${wire}-wire, model: ${real}, contextTokens: 1000000, ${price} }`
  return `
upstreams:
${WIRES_BEHIND.map((wire) => `  ${wire}-wire: { ${upstreams[wire]}, retries: 0, breaker: off }`).join('\n')}
models:
${WIRES_BEHIND.flatMap((wire) => [model(wire, wire), model(`${wire}-slow`, wire)]).join('\n')}
${model(THINKER, 'anthropic', THINKING_MODEL)}
keys:
  - { name: ci, key: ${KEY}, tenant: acme }
  - { name: storing, key: ${STORING_KEY}, tenant: acme, store: true }
`
}
