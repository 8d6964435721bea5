import OpenAI from 'openai'
import { beforeAll, afterAll, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const PRICES = { inputPerM: 3, outputPerM: 15 }
let simulator: Simulator
let tgi: Simulator
let gateway: GatewayProcess & { stop(): Promise<void> }
let client: OpenAI

beforeAll(async () => {
  simulator = createSimulator({ flavour: 'vllm', models: ['sim'], speed: 0, isMarked: false, prices: { sim: PRICES } })
  const { url } = await simulator.listen(0)
  tgi = createSimulator({ flavour: 'tgi', models: ['text'], speed: 0, isMarked: false, prices: { text: PRICES } })
  const { url: tgiUrl } = await tgi.listen(0)
  gateway = await startGatewayProcess({
    ownedByTest: false,
    config: `
upstreams:
  gpu: { kind: vllm, replicas: [ "${url}" ], retries: 0 }
  tgi: { kind: tgi, replicas: [ "${tgiUrl}" ], retries: 0 }
  asked: { kind: openai, baseUrl: "${url}/v1", ask: stream, retries: 0 }
models:
  local: { upstream: gpu, model: sim, price: { inputPerM: 3, outputPerM: 15 } }
  streamed: { upstream: asked, model: sim, price: { inputPerM: 3, outputPerM: 15 } }
  native: { upstream: tgi, model: text, api: generate, price: { inputPerM: 3, outputPerM: 15 } }
  templated: { upstream: tgi, model: text, price: { inputPerM: 3, outputPerM: 15 } }
  chatty: { upstream: gpu, model: sim, capabilities: [ tools ] }
telemetry: { log: off }
`,
  })
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
  await tgi.close()
})

const body = { model: 'local', prompt: 'Once upon a time there was', max_tokens: 40 }

test('the official client gets the same text whole and streamed, and what it cost', async () => {
  for (const model of ['local', 'streamed']) {
    const whole = await client.completions.create({ ...body, model })
    const chunks = await Array.fromAsync(
      await client.completions.create({ ...body, model, stream: true, stream_options: { include_usage: true } }),
    )
    expect(whole.object).toBe('text_completion')
    expect(whole.choices[0]?.text).toMatch(/\w/)
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(whole.choices[0]?.text)
    expect(chunks.at(-1)?.usage).toEqual(whole.usage)
    // The prompt alone: no template has been put around it.
    expect(whole.usage?.prompt_tokens).toBe(7)
    expect(whole.usage).toMatchObject({ cost_nano_usd: 7 * 3000 + (whole.usage?.completion_tokens ?? 0) * 15_000 })
  }
})

test('TGI continues a raw prompt on its native route, and not on its chat route', async () => {
  const before = tgi.meter.total()
  const whole = await client.completions.create({ ...body, model: 'native', stop: '.' })
  const chunks = await Array.fromAsync(
    await client.completions.create({ ...body, model: 'native', stop: '.', stream: true }),
  )
  expect(whole.choices[0]?.text).toMatch(/\w/)
  expect(whole.choices[0]?.text).not.toContain('.')
  expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(whole.choices[0]?.text)
  // TGI counts one token more, of the prompt's beginning.
  expect(whole.usage?.prompt_tokens).toBe(8)
  const { cost_nano_usd: cost } = whole.usage as unknown as { readonly cost_nano_usd: number }
  expect(BigInt(2 * cost)).toBe(tgi.meter.total() - before)
  await expect(client.completions.create({ ...body, model: 'templated' })).rejects.toMatchObject({ param: 'prompt' })
})

test('several answers, a stop and a cap arrive as they were asked for', async () => {
  const { choices, usage } = await client.completions.create({ ...body, n: 3, max_tokens: 4 })
  expect(choices.map(({ index, finish_reason }) => [index, finish_reason])).toEqual(
    [0, 1, 2].map((at) => [at, 'length']),
  )
  expect(usage?.completion_tokens).toBe(12)
  const stopped = await client.completions.create({ ...body, stop: '.' })
  expect(stopped.choices[0]?.text).not.toContain('.')
})

test('a task pays for it to the nano-dollar, and a budget holds', async () => {
  const before = simulator.meter.total()
  const headers = { 'x-task-id': 'raw-prompts', 'x-task-budget-usd': '0.002' }
  const ask = (): Promise<OpenAI.Completion> => client.completions.create(body, { headers })
  await ask()
  await ask()
  await expect(client.completions.create({ ...body, max_tokens: 4000 }, { headers })).rejects.toMatchObject({
    status: 402,
  })
  const task = (await (await fetch(`${gateway.url}/v1/tasks/raw-prompts`)).json()) as { spent: { nano_usd: number } }
  expect(BigInt(task.spent.nano_usd)).toBe(simulator.meter.total() - before)
})

test('a model that takes messages only refuses it by name; mistakes are told in the envelope of the API', async () => {
  await expect(client.completions.create({ ...body, model: 'chatty' })).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'prompt',
    message: expect.stringContaining('/v1/chat/completions') as string,
  })
  await expect(client.completions.create({ ...body, echo: true })).rejects.toMatchObject({ status: 400, param: 'echo' })
  await expect(client.completions.create({ ...body, model: 'none' })).rejects.toMatchObject({ status: 404 })
})
