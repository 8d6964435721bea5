/** One gateway before six providers of the matrix, each a server of its wire that says what it is told and keeps what it is asked. */
import { afterAll, beforeAll } from 'vitest'
import type { Caller } from '../../../scripts/compatibility/matrix/callers.ts'
import { EGRESSES, type Egress } from '../../../scripts/compatibility/matrix/egresses.ts'
import { targetOf } from '../../../scripts/compatibility/matrix/targets.ts'
import { startFakeUpstream, type Answer, type FakeUpstream } from '../../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../../support/gateway-process.ts'
import type { Fields } from './at.ts'
import { heardByAnthropic, heardByChat, heardByGoogle, heardByResponses, type Heard } from './heard.ts'

/** Dollars per million tokens: a nano-dollar is a thousandth of a token's price at 1. */
export const PRICE = { inputPerM: 1, cachedInputPerM: 0.1, outputPerM: 10 } as const

export interface Reply {
  readonly status: number
  readonly text: string
  readonly dropped: readonly string[]
}

export interface MatrixWorld {
  /** What a provider will say from now on; forgets what it was asked. */
  tell(egress: Egress, answer: Answer): void
  asked(egress: Egress): readonly Heard[]
  post(caller: Caller, egress: Egress, body: Fields): Promise<Reply>
}

export function matrixWorld(): MatrixWorld {
  const providers = new Map<Egress, FakeUpstream>()
  let gateway: (GatewayProcess & { stop(): Promise<void> }) | undefined
  beforeAll(async () => {
    for (const egress of EGRESSES) providers.set(egress, await startFakeUpstream(undefined, { ownedByTest: false }))
    gateway = await startGatewayProcess({
      config: configOf((egress) => found(egress).url),
      env: { TEST_UPSTREAM_KEY: 'not-a-key' },
      ownedByTest: false,
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([...providers.values()].map((each) => each.stop()))
  })

  function found(egress: Egress): FakeUpstream {
    return providers.get(egress) as FakeUpstream
  }

  return {
    tell(egress, answer) {
      found(egress).answer = answer
      found(egress).seen.length = 0
    },
    asked: (egress) =>
      found(egress).seen.map(({ body, path }) => {
        const read = JSON.parse(body) as Fields
        return heardBy(egress, read, path)
      }),
    async post({ path }, egress, body) {
      const response = await fetch(`${gateway?.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
        body: JSON.stringify({ model: egress.id, ...body }),
      })
      const dropped = response.headers.get('x-switchyard-dropped')?.split(/,\s*/) ?? []
      return { status: response.status, text: await response.text(), dropped }
    },
  }
}

function heardBy({ name }: Egress, body: Fields, path: string): Heard {
  switch (name) {
    case 'openai':
    case 'vllm':
    case 'tgi':
      return heardByChat(body)
    case 'openai, Responses':
      return heardByResponses(body)
    case 'anthropic':
      return heardByAnthropic(body)
    case 'google':
      return heardByGoogle(body, path)
    default:
      return name satisfies never
  }
}

function configOf(urlOf: (egress: Egress) => string): string {
  const upstreams = EGRESSES.map((egress) => {
    const { kind } = egress
    const isEngine = kind === 'vllm' || kind === 'tgi'
    const address = isEngine
      ? `replicas: ["${urlOf(egress)}"]`
      : `baseUrl: "${urlOf(egress)}${kind === 'openai' ? '/v1' : ''}", apiKey: env:TEST_UPSTREAM_KEY`
    return `  ${egress.id}: { kind: ${kind}, ${address}, retries: 0, breaker: off, ask: as-asked }`
  })
  const models = EGRESSES.map((egress) => {
    const api = egress.api === undefined ? '' : `, api: ${egress.api}`
    const { id } = egress
    // Behind a loopback address a model can less by default than at its provider.
    const capabilities = JSON.stringify([...targetOf(egress).capabilities])
    return `  ${id}: { upstream: ${id}, model: "${egress.model}", tier: frontier, contextTokens: 1000000, capabilities: ${capabilities}, price: ${JSON.stringify(PRICE)}${api} }`
  })
  return `
upstreams:
${upstreams.join('\n')}
models:
${models.join('\n')}
keys:
  - { name: ci, key: "sk-test", tenant: acme }
`
}
