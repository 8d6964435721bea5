/** Conversations under `auto` on every ingress: who answers the result of a tool, and where signed thinking goes back to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import type { Flavour } from '../../src/simulator/wire.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { INGRESSES, ingressAgent, type IngressAgent } from '../support/ingress-agent.ts'

const KEY = 'sk-test'
const SERVED = {
  vllm: 'engine',
  anthropic: 'claude-sonnet-4-5',
  google: 'gemini-3-flash',
  openai: 'gpt-5.1-codex',
} as const
type Behind = keyof typeof SERVED
const BEHIND = Object.keys(SERVED) as Behind[]
const SIGNERS = ['anthropic', 'google', 'openai'] as const

const simulators = new Map<Behind, Simulator>()
const urls = {} as Record<Behind, string>
beforeAll(async () => {
  for (const flavour of BEHIND) {
    const simulator = createSimulator({
      flavour: flavour satisfies Flavour,
      models: [SERVED[flavour]],
      profiles: {},
      speed: 1,
      isMarked: false,
    })
    simulators.set(flavour, simulator)
    urls[flavour] = (await simulator.listen(0)).url
  }
})
afterAll(() => Promise.all([...simulators.values()].map((each) => each.close())))

/** Route `auto` prefers the engine always; `mixed` changes its mind. */
function config(has: readonly Behind[]): string {
  const upstreams: Readonly<Record<Behind, string>> = {
    vllm: `kind: vllm, replicas: ["${urls.vllm}"]`,
    anthropic: `kind: anthropic, baseUrl: "${urls.anthropic}", apiKey: env:TEST_UPSTREAM_KEY`,
    google: `kind: google, baseUrl: "${urls.google}", apiKey: env:TEST_UPSTREAM_KEY`,
    openai: `kind: openai, baseUrl: "${urls.openai}/v1", apiKey: env:TEST_UPSTREAM_KEY`,
  }
  const hosted = has.filter((each) => each !== 'vllm')
  return `
upstreams:
${has.map((each) => `  ${each}: { ${upstreams[each]}, retries: 0, breaker: off }`).join('\n')}
models:
${has.map((each) => `  my-${each}: { upstream: ${each}, model: ${SERVED[each]}, contextTokens: 1000000, ${each === 'openai' ? 'api: responses, ' : ''}price: { inputPerM: 1, outputPerM: 2 } }`).join('\n')}
routes:
  auto: { small: [my-vllm], big: [${hosted.map((each) => `my-${each}`).join(', ')}], targetBigShare: 0 }
  mixed: { small: [my-vllm], big: [my-anthropic${has.includes('google') ? ', my-google' : ''}], targetBigShare: 0.5 }
keys:
  - { name: ci, key: ${KEY}, tenant: acme }
telemetry: { log: off }
`
}

const start = (text: string): Promise<GatewayProcess & { stop(): Promise<void> }> =>
  startGatewayProcess({ config: text, env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' }, ownedByTest: false })
let gateway: Awaited<ReturnType<typeof start>>
/** The same service where Google is not configured, and where it does not answer. */
let without: typeof gateway
let broken: typeof gateway
beforeAll(async () => {
  gateway = await start(config(BEHIND))
  without = await start(config(['vllm', 'anthropic']))
  broken = await start(config(BEHIND).replace(urls.google, 'http://127.0.0.1:9'))
})
afterAll(() => Promise.all([gateway, without, broken].map((each) => each.stop())))

const MODES = INGRESSES.flatMap((ingress) => [false, true].map((stream) => [ingress, stream] as const))
const ASK = 'Look up the weather along northern coasts'

describe.each(MODES)('%s, streamed: %s', (ingress, stream) => {
  const agent = (more: { readonly thinks?: boolean; readonly url?: string } = {}): IngressAgent =>
    ingressAgent(ingress, { url: gateway.url, apiKey: KEY, stream, ...more })

  test('no conversation changes its model while a call is open, and they do between', async () => {
    let open = 0
    let moves = 0
    const run = async (number: number): Promise<void> => {
      const one = agent()
      let before = ''
      for (let turn = 0; turn < 3; turn++) {
        let told = await one.say('mixed', `${ASK}, ${number} times ${'very carefully '.repeat((number * turn) % 5)}`)
        if (before !== '' && told.upstream !== before) moves += 1
        while (told.calls > 0) {
          const by = told.upstream
          told = await one.answerCalls('mixed')
          expect(told).toMatchObject({ upstream: by, reason: 'sticky' })
          open += 1
        }
        before = told.upstream
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, number) => run(number)))
    expect(open).toBe(24)
    expect(moves).toBeGreaterThan(0)
  })

  test.each(SIGNERS)(
    'thinking that %s signed goes back there, also by a gateway that has never seen it',
    async (signer) => {
      const one = agent({ thinks: true })
      // A pinned request is not noted: only the signature tells.
      const first = await one.say(`my-${signer}`, ASK)
      expect(first).toMatchObject({ upstream: signer, reason: 'pinned', calls: 1 })
      const second = await one.answerCalls('auto')
      expect(second).toMatchObject({ upstream: signer, reason: 'sticky', calls: 0 })
      expect(second.dropped.join()).not.toContain('messages')
      expect(await one.say('auto', 'Thank you, and now describe lighthouses.')).toMatchObject({
        upstream: signer,
        reason: 'sticky',
      })
      expect(await agent({ thinks: true }).say('auto', ASK)).toMatchObject({ upstream: 'vllm', reason: 'share' })
    },
  )

  test.each([
    ['gone', 'share', () => without],
    ['out of reach', 'fallback', () => broken],
  ] as const)('thinking whose provider is %s is left out, and the answer says so', async (_, reason, other) => {
    const one = agent({ thinks: true })
    expect(await one.say('my-google', ASK)).toMatchObject({ upstream: 'google', calls: 1 })
    one.moveTo(other().url)
    const told = await one.answerCalls('auto')
    expect(told).toMatchObject({ reason, calls: 0 })
    expect(['vllm', 'anthropic']).toContain(told.upstream)
    expect(told.dropped.join()).toMatch(/messages\.(reasoning|signature)/)
  })
})
