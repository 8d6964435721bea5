/** Anthropic's own count of a prompt, through the gateway: for `count_tokens`, and for a hold that would not fit by its bytes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../../src/simulator/simulator.ts'
import { startGatewayProcess, type GatewayProcess } from '../../support/gateway-process.ts'

const MODEL = 'claude-sonnet-4-5'
const PRICE = { inputPerM: 3, outputPerM: 15 }
let simulator: Simulator
let gateway: (GatewayProcess & { stop(): Promise<void> }) | undefined
beforeAll(async () => {
  simulator = createSimulator({
    flavour: 'anthropic',
    models: [MODEL],
    profiles: {},
    speed: 1,
    isMarked: false,
    apiKey: 'sk-upstream-test',
    prices: { [MODEL]: PRICE },
  })
  const { url } = await simulator.listen(0)
  const price = `price: { inputPerM: ${PRICE.inputPerM}, outputPerM: ${PRICE.outputPerM} }`
  gateway = await startGatewayProcess({
    config: `
upstreams:
  claude: { kind: anthropic, baseUrl: "${url}", apiKey: env:TEST_UPSTREAM_KEY, retries: 0 }
models:
  asked: { upstream: claude, model: ${MODEL}, ${price} }
  # Fields that the operator adds may say more than the count is told: nobody is asked.
  unasked: { upstream: claude, model: ${MODEL}, ${price}, extraBody: { diagnostics: { trace: "off" } } }
keys: [{ name: ci, key: sk-test, tenant: acme }]
telemetry: { log: off }
`,
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    ownedByTest: false,
  })
})
afterAll(async () => {
  await gateway?.stop()
  await simulator.close()
})

function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${gateway?.url}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-test', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}
interface Counted {
  readonly input_tokens: number
}

test('count_tokens: the provider counts what it then bills, and a count costs nothing', async () => {
  const body = {
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [{ role: 'user', content: 'Describe lighthouses along northern coasts.' }],
    tools: [{ name: 'weather', input_schema: { type: 'object', properties: { place: { type: 'string' } } } }],
  }
  const reply = await post('/v1/messages/count_tokens', { model: 'asked', ...body })
  expect(reply.headers.get('x-token-count')).toBe('provider')
  const { input_tokens: counted } = (await reply.json()) as Counted
  expect(simulator.meter.total()).toBe(0n)
  const answer = await post('/v1/messages', { model: 'asked', max_tokens: 100, ...body })
  expect(((await answer.json()) as { usage: Counted }).usage.input_tokens).toBe(counted)
  // The route's first model is the one that is counted for.
  expect((await post('/v1/messages/count_tokens', { model: 'auto', ...body })).headers.get('x-token-count')).toBe(
    'provider',
  )
  const other = await post('/v1/messages/count_tokens', { model: 'unasked', ...body })
  expect(other.headers.get('x-token-count')).toBe('bound')
  expect(((await other.json()) as Counted).input_tokens).toBeGreaterThan(counted)
})

test('a prompt whose bytes do not fit the budget is counted, and served where its tokens do', async () => {
  const before = simulator.meter.rows().get(MODEL)?.requests ?? 0
  const ask = (model: string, usd: string): Promise<Response> =>
    post(
      '/v1/messages',
      { model, max_tokens: 64, messages: [{ role: 'user', content: 'Northern lighthouses. '.repeat(2000) }] },
      { 'x-task-id': `${model}-${usd}`, 'x-task-budget-usd': usd },
    )
  // 44,000 bytes at 3 dollars per million are $0.132; about 12,000 tokens are $0.036.
  const refused = await ask('unasked', '0.06')
  expect(refused.status).toBe(402)
  const tooMuch = await ask('asked', '0.03')
  expect(tooMuch.status).toBe(402)
  expect(simulator.meter.rows().get(MODEL)?.requests).toBe(before)
  const served = await ask('asked', '0.06')
  expect(served.status, await served.text()).toBe(200)
  expect(simulator.meter.rows().get(MODEL)?.requests).toBe(before + 1)
})
