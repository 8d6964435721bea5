import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

let simulator: Simulator
let gateway: GatewayProcess & { stop(): Promise<void> }
let client: OpenAI

beforeAll(async () => {
  simulator = createSimulator({
    flavour: 'vllm',
    models: ['bge-m3', 'sim'],
    speed: 0,
    isMarked: false,
    prices: { 'bge-m3': { inputPerM: 0.03, outputPerM: 0 } },
  })
  const { url } = await simulator.listen(0)
  gateway = await startGatewayProcess({
    ownedByTest: false,
    config: `
upstreams:
  gpu: { kind: vllm, replicas: [ "${url}" ], retries: 0 }
  other: { kind: openai, baseUrl: "${url}/v1", retries: 0 }
models:
  vectors: { upstream: gpu, model: bge-m3, price: { inputPerM: 0.03, outputPerM: 0 } }
  elsewhere: { upstream: other, model: bge-m3, price: { inputPerM: 0.03, outputPerM: 0 } }
  chat: { upstream: gpu, model: sim, price: { inputPerM: 1, outputPerM: 1 } }
telemetry: { log: off }
`,
  })
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
})

test('the official client gets the same vectors in either form, for one text and for many', async () => {
  const input = ['a red apple', 'a green apple', 'the stock market']
  for (const model of ['vectors', 'elsewhere']) {
    // Without a form the client asks for base64 and decodes it.
    const many = await client.embeddings.create({ model, input })
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' })
    expect(many.data.map(({ index }) => index)).toEqual([0, 1, 2])
    for (const [at, { embedding }] of many.data.entries()) {
      expect(embedding).toHaveLength(64)
      expect(floats.data[at]?.embedding).toHaveLength(64)
      expect(Math.abs((floats.data[at]?.embedding[0] ?? 0) - (embedding[0] ?? 1))).toBeLessThan(1e-6)
    }
    const one = await client.embeddings.create({ model, input: 'a red apple', dimensions: 8 })
    expect(one.data[0]?.embedding).toHaveLength(8)
    expect(one.usage).toMatchObject({ prompt_tokens: 4, total_tokens: 4, cost_nano_usd: 120 })
  }
})

test('token ids go through as they are', async () => {
  const { usage } = await client.embeddings.create({ model: 'vectors', input: [[1, 2, 3], [4]] })
  expect(usage.prompt_tokens).toBe(4)
})

test('a task pays for its vectors to the nano-dollar, and its budget holds', async () => {
  const before = simulator.meter.total()
  const headers = { 'x-task-id': 'vectors', 'x-task-budget-usd': '0.00003' }
  for (const input of ['one two three', 'four', ['five', 'six seven']])
    await client.embeddings.create({ model: 'vectors', input }, { headers })
  await expect(
    client.embeddings.create({ model: 'vectors', input: 'word '.repeat(500) }, { headers }),
  ).rejects.toMatchObject({
    status: 402,
  })
  const task = (await (await fetch(`${gateway.url}/v1/tasks/vectors`)).json()) as {
    spent: { nano_usd: number; model_calls: number }
  }
  expect(BigInt(task.spent.nano_usd)).toBe(simulator.meter.total() - before)
  expect(task.spent.nano_usd).toBeGreaterThan(0)
  expect(task.spent.model_calls).toBe(3)
})

test('it is routed and counted like every other call', async () => {
  const reply = await fetch(`${gateway.url}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpu/bge-m3', input: 'hello' }),
  })
  expect(reply.status).toBe(200)
  expect(reply.headers.get('x-route-upstream')).toBe('gpu')
  expect(reply.headers.get('x-cost-usd')).toMatch(/^0\.0000000\d+$/)
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toMatch(/switchyard_requests_total\{[^}]*\} \d/)
})

test('a model that chats makes no vectors; mistakes are refused', async () => {
  await expect(client.embeddings.create({ model: 'chat', input: 'a' })).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    message: expect.stringContaining('can make embeddings') as string,
  })
  await expect(client.embeddings.create({ model: 'vectors', input: '' })).rejects.toMatchObject({
    status: 400,
    param: 'input',
  })
})
