import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const SIMULATED = 'upstreams: { sim: { kind: simulated } }\nmodels: { chat: { upstream: sim, model: chat } }\n'
let gateway: GatewayProcess & { stop(): Promise<void> }

function clientOf(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 })
}

beforeAll(async () => {
  gateway = await startGatewayProcess({
    ownedByTest: false,
    config: `${SIMULATED}
aliases: { text-embedding-3-small: switchyard-embed }
encoder: { enabled: on }
keys:
  - { name: all, key: "sk-test-all" }
  - { name: vectors, key: "sk-test-vectors", models: [switchyard-embed] }
  - { name: chat, key: "sk-test-chat", models: [chat] }
telemetry: { log: off }
`,
  })
})
afterAll(() => gateway.stop())

test('the official client gets unit vectors of 384 numbers, the same in either form, at no cost', async () => {
  const client = clientOf('sk-test-all')
  const input = ['a red apple', 'a green apple', 'the stock market fell']
  const { data, usage, model } = await client.embeddings.create({ model: 'switchyard-embed', input })
  const floats = await client.embeddings.create({ model: 'switchyard-embed', input, encoding_format: 'float' })
  expect(data.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(data.map(({ embedding }) => embedding)).toEqual(floats.data.map(({ embedding }) => embedding))
  const [red = [], green = [], market = []] = data.map(({ embedding }) => embedding)
  expect(red).toHaveLength(384)
  expect(Math.hypot(...red)).toBeCloseTo(1, 5)
  expect(dot(red, green)).toBeGreaterThan(0.6)
  expect(dot(red, market)).toBeLessThan(0.3)
  expect(model).toBe('switchyard-embed')
  // Three words and two marks, twice; four words and two marks.
  expect(usage).toMatchObject({ prompt_tokens: 16, total_tokens: 16, cost_nano_usd: 0 })
})

test('it goes through the books of a task, which pays nothing', async () => {
  const headers = { 'x-task-id': 'free', 'x-task-budget-usd': '0.0001' }
  await clientOf('sk-test-all').embeddings.create({ model: 'switchyard-embed', input: 'one two' }, { headers })
  const reply = await fetch(`${gateway.url}/v1/tasks/free`, { headers: { authorization: 'Bearer sk-test-all' } })
  expect(await reply.json()).toMatchObject({ spent: { nano_usd: 0, model_calls: 1, tokens: 4 } })
})

test('an alias stands for it, it is listed, and keys that may not use it neither see nor get it', async () => {
  const { data } = await clientOf('sk-test-vectors').embeddings.create({
    model: 'switchyard-embed',
    input: 'a red apple',
    dimensions: 384,
  })
  expect(data[0]?.embedding).toHaveLength(384)
  const alias = await clientOf('sk-test-all').embeddings.create({
    model: 'text-embedding-3-small',
    input: 'a red apple',
  })
  expect(alias.data[0]?.embedding).toEqual(data[0]?.embedding)
  const listed = async (key: string): Promise<readonly string[]> =>
    (await clientOf(key).models.list()).data.map(({ id }) => id)
  expect(await listed('sk-test-all')).toContain('switchyard-embed')
  expect(await listed('sk-test-vectors')).toEqual(['switchyard-embed'])
  expect(await listed('sk-test-chat')).not.toContain('switchyard-embed')
  await expect(
    clientOf('sk-test-chat').embeddings.create({ model: 'switchyard-embed', input: 'a' }),
  ).rejects.toMatchObject({ status: 403, code: 'model_not_allowed' })
})

test.each<[string, object, object]>([
  ['token ids', { input: [1, 2] }, { code: 'unsupported_value', param: 'input' }],
  ['token ids in a list', { input: ['a', [1]] }, { code: 'unsupported_value', param: 'input[1]' }],
  ['fewer dimensions', { input: 'a', dimensions: 256 }, { code: 'unsupported_value', param: 'dimensions' }],
  ['257 texts', { input: Array(257).fill('a') }, { code: 'unsupported_value', param: 'input' }],
  [
    'a text of 300 tokens',
    { input: ['a', 'word '.repeat(300)] },
    { code: 'context_length_exceeded', param: 'input[1]' },
  ],
])('%s: refused by name', async (_name, body, error) => {
  await expect(
    clientOf('sk-test-all').embeddings.create({ model: 'switchyard-embed', input: 'a', ...body }),
  ).rejects.toMatchObject({ status: 400, ...error })
})

test('it does not chat', async () => {
  await expect(
    clientOf('sk-test-all').chat.completions.create({
      model: 'switchyard-embed',
      messages: [{ role: 'user', content: 'hi' }],
    }),
  ).rejects.toMatchObject({ status: 400, param: 'model' })
})

test('what it does is counted', async () => {
  await clientOf('sk-test-all').embeddings.create({ model: 'switchyard-embed', input: 'counted once' })
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/^switchyard_encoder_requests_total\{result="made"\} [1-9]/m)
  expect(page).toMatch(/^switchyard_encoder_seconds_count [1-9]/m)
  expect(page).toMatch(/^switchyard_encoder_restarts_total 0$/m)
})

test('switched off, the name is unknown', async () => {
  const without = await startGatewayProcess({
    config: `${SIMULATED}encoder: { enabled: off }\ntelemetry: { log: off }\n`,
  })
  const client = new OpenAI({ baseURL: `${without.url}/v1`, apiKey: 'any', maxRetries: 0 })
  await expect(client.embeddings.create({ model: 'switchyard-embed', input: 'a' })).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
})

test.each(['on', 'auto'])(
  'with a damaged model and encoder "%s" the service does not start, and says what mends it',
  async (enabled) => {
    const dir = mkdtempSync(join(tmpdir(), 'switchyard-model-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    cpSync(fileURLToPath(new URL('../../router-models/minilm-l6', import.meta.url)), dir, { recursive: true })
    truncateSync(join(dir, 'onnx/model_quantized.onnx'), 100)
    const config = `${SIMULATED}encoder: { enabled: ${enabled}, folder: "${dir}" }\n`
    await expect(startGatewayProcess({ config })).rejects.toThrow(
      /ended with 2 [^]*encoder\.folder: .*model_quantized\.onnx has 100 bytes instead of 23420796\. Name another folder/,
    )
  },
)

test('a model under its name is refused', async () => {
  const config =
    'upstreams: { sim: { kind: simulated } }\nmodels: { switchyard-embed: { upstream: sim, model: chat } }\n'
  await expect(startGatewayProcess({ config })).rejects.toThrow(/models\.switchyard-embed: .*Rename the model/)
})

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, each, at) => sum + each * (b[at] as number), 0)
}
