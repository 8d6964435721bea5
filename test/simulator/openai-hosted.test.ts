import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { createSimulator } from '../../src/simulator/simulator.ts'
import { pngHead, startWire } from '../support/simulated-wire.ts'

const messages = [{ role: 'user' as const, content: 'What is the weather in Paris?' }]

test('reasoning is counted and not shown', async () => {
  const { url, simulator } = await startWire('openai')
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x' })
  const { usage } = await client.chat.completions.create({ model: 'm', messages, reasoning_effort: 'low' })
  expect(usage?.completion_tokens_details?.reasoning_tokens).toBe(12)
  expect(simulator.meter.rows().get('m')).toMatchObject({ thinking: 12, output: usage?.completion_tokens })
})

test('a long prompt is cached by itself, in steps of 128 tokens', async () => {
  const prices = { m: { inputPerM: 3, outputPerM: 15, cachedInputPerM: 0.3 } }
  const { url, simulator } = await startWire('openai', { prices })
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x' })
  const long = { model: 'm', messages: [{ role: 'user' as const, content: 'word '.repeat(1500) }] }
  const first = (await client.chat.completions.create(long)).usage
  const before = simulator.meter.total()
  const second = (await client.chat.completions.create(long)).usage
  const cached = second?.prompt_tokens_details?.cached_tokens ?? 0
  expect(first?.prompt_tokens_details?.cached_tokens).toBe(0)
  expect([cached % 128, cached >= 1024, cached < (second?.prompt_tokens ?? 0)]).toEqual([0, true, true])
  const plain = (second?.prompt_tokens ?? 0) - cached
  expect(simulator.meter.total() - before).toBe(
    BigInt(plain * 3000 + cached * 300 + (second?.completion_tokens ?? 0) * 15_000),
  )
})

test('pictures cost 85 tokens, and 170 per tile where they are looked at closely', async () => {
  const { url } = await startWire('openai')
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x' })
  const count = async (width: number, height: number, detail: 'low' | 'high'): Promise<number> => {
    const image = {
      type: 'image_url' as const,
      image_url: { url: `data:image/png;base64,${pngHead(width, height)}`, detail },
    }
    const reply = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: [image] }] })
    return (reply.usage?.prompt_tokens ?? 0) - 7
  }
  // The guide's own examples.
  expect([await count(4096, 8192, 'low'), await count(1024, 1024, 'high'), await count(2048, 4096, 'high')]).toEqual([
    85, 765, 1105,
  ])
})

test.each([false, true])('a refusal is a 200 with its text in its own field (stream: %s)', async (stream) => {
  const { post } = await startWire('openai', { faults: [{ fault: 'refusal' }] })
  const reply = await post('/v1/chat/completions', { model: 'm', messages, stream })
  expect(reply.status).toBe(200)
  const text = await reply.text()
  expect(text).toMatch(/"refusal":"I am sorry|"delta":\{"refusal":"I"/)
  expect(text).toContain('"finish_reason":"stop"')
  expect(text).not.toMatch(/"content":"[^"]/)
})

test('a fault that the flavour does not have is refused with those that it has', () => {
  const options = {
    flavour: 'vllm',
    models: ['m'],
    speed: 0,
    isMarked: false,
    faults: [{ fault: 'blocked-prompt' }],
  } as const
  expect(() => createSimulator(options)).toThrow(/vllm has no fault "blocked-prompt"\. It has: .*overloaded/)
})
