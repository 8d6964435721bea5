import Anthropic from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { REDACTION_TRIGGER } from '../../src/simulator/anthropic/read.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { pngHead, startWire, type SimulatedWire } from '../support/simulated-wire.ts'

interface World extends SimulatedWire {
  readonly client: Anthropic
  readonly ask: (changes?: Partial<Anthropic.MessageCreateParamsNonStreaming>) => Promise<Anthropic.Message>
}

const QUESTION: Anthropic.MessageParam = { role: 'user', content: 'What is the weather in Paris?' }
const THINKING = { type: 'enabled', budget_tokens: 1024 } as const
const TOOL: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

async function start(changes: Partial<SimulatorOptions> = {}): Promise<World> {
  const wire = await startWire('anthropic', changes)
  const client = new Anthropic({ baseURL: wire.url, apiKey: 'sk-ant-test', maxRetries: 0 })
  const ask: World['ask'] = (changes) =>
    client.messages.create({ model: 'm', max_tokens: 2048, messages: [QUESTION], ...changes })
  return { ...wire, client, ask }
}

test('the official client gets the same message whole and streamed, with its usage', async () => {
  const { client, ask } = await start()
  for (const changes of [
    {},
    { thinking: THINKING },
    { tools: [TOOL] },
    { tools: [TOOL], thinking: THINKING },
    { max_tokens: 3 },
  ]) {
    const whole = await ask(changes)
    const streamed = await client.messages
      .stream({ model: 'm', max_tokens: 2048, messages: [QUESTION], ...changes })
      .finalMessage()
    const plain = (content: Anthropic.ContentBlock[]): unknown =>
      content.map((block) => (block.type === 'tool_use' ? [block.name, block.input] : { ...block, citations: null }))
    expect(plain(streamed.content)).toEqual(plain(whole.content))
    expect(streamed.stop_reason).toBe(whole.stop_reason)
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens)
    expect(streamed.usage.input_tokens).toBe(whole.usage.input_tokens)
  }
})

test('thinking is signed; it may come back as it was, and not otherwise', async () => {
  const { ask } = await start()
  const first = await ask({ thinking: THINKING, tools: [TOOL] })
  expect(first.content.map((block) => block.type)).toEqual(['thinking', 'tool_use'])
  expect(first.stop_reason).toBe('tool_use')
  const [thinking, call] = first.content as [Anthropic.ThinkingBlock, Anthropic.ToolUseBlock]
  const again = (block: Anthropic.ContentBlockParam[]): Promise<Anthropic.Message> =>
    ask({
      thinking: THINKING,
      tools: [TOOL],
      messages: [
        QUESTION,
        { role: 'assistant', content: [...block, call] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] },
      ],
    })
  expect((await again([thinking])).stop_reason).toBe('end_turn')
  const refused = { status: 400, message: expect.stringContaining('Invalid `signature` in `thinking` block') as string }
  await expect(again([{ ...thinking, thinking: 'Something else.' }])).rejects.toMatchObject(refused)
  await expect(again([{ ...thinking, signature: Buffer.alloc(48).toString('base64') }])).rejects.toMatchObject(refused)
  await expect(again([])).rejects.toMatchObject({ message: expect.stringContaining('Expected `thinking`') as string })
})

test('thinking can be left out or encrypted, and still comes back', async () => {
  const { client, ask } = await start()
  const omitted = await ask({ thinking: { ...THINKING, display: 'omitted' } })
  expect(omitted.content[0]).toMatchObject({ type: 'thinking', thinking: '' })
  const secret: Anthropic.MessageParam = { role: 'user', content: REDACTION_TRIGGER }
  const encrypted = await client.messages
    .stream({ model: 'm', max_tokens: 2048, thinking: THINKING, messages: [secret] })
    .finalMessage()
  expect(encrypted.content.map((block) => block.type)).toEqual(['redacted_thinking', 'text'])
  for (const { content } of [omitted, encrypted]) {
    const messages = [QUESTION, { role: 'assistant' as const, content }, QUESTION]
    expect((await ask({ thinking: THINKING, messages })).type).toBe('message')
  }
})

test('marked prompts are written to the cache, then read, and billed by class to the nano-dollar', async () => {
  const { simulator, client, ask } = await start()
  const long = 'word '.repeat(1500).trim()
  const system: Anthropic.TextBlockParam[] = [
    { type: 'text', text: long, cache_control: { type: 'ephemeral', ttl: '1h' } },
    { type: 'text', text: long, cache_control: { type: 'ephemeral' } },
  ]
  const { input_tokens: total } = await client.messages.countTokens({ model: 'm', system, messages: [QUESTION] })
  const first = (await ask({ system })).usage
  const second = (await ask({ system })).usage
  expect(first.cache_creation).toEqual({ ephemeral_1h_input_tokens: 1503, ephemeral_5m_input_tokens: 1500 })
  expect(first.cache_creation_input_tokens).toBe(3003)
  expect(second).toMatchObject({
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 3003,
    input_tokens: total - 3003,
  })
  const bill = (usage: Anthropic.Usage): number =>
    usage.input_tokens * 3000 +
    (usage.cache_read_input_tokens ?? 0) * 300 +
    (usage.cache_creation?.ephemeral_5m_input_tokens ?? 0) * 3750 +
    (usage.cache_creation?.ephemeral_1h_input_tokens ?? 0) * 6000 +
    usage.output_tokens * 15_000
  expect(simulator.meter.total()).toBe(BigInt(bill(first) + bill(second)))
})

test('pictures cost their area by 750, at most 1,600 tokens', async () => {
  const { client } = await start()
  const count = async (width: number, height: number): Promise<number> => {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: pngHead(width, height) }
    const content = [{ type: 'image' as const, source }]
    return (await client.messages.countTokens({ model: 'm', messages: [{ role: 'user', content }] })).input_tokens - 7
  }
  expect([await count(200, 200), await count(1000, 1000), await count(4000, 3000)]).toEqual([54, 1334, 1600])
})

test('structured output fits its schema; a stop sequence is named', async () => {
  const { ask } = await start()
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  const [block] = (await ask({ output_config: { format: { type: 'json_schema', schema } } })).content
  expect(JSON.parse((block as Anthropic.TextBlock).text)).toEqual({ n: expect.any(Number) as number })
  expect(await ask({ stop_sequences: [' '] })).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: ' ' })
})

test.each<[string, object, RegExp]>([
  ['no cap', { max_tokens: undefined }, /max_tokens: Field required/],
  ['an unknown field', { seed: 1 }, /seed: Extra inputs are not permitted/],
  [
    'an unanswered call',
    {
      messages: [
        QUESTION,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'a', input: {} }] },
        QUESTION,
      ],
    },
    /without `tool_result`/,
  ],
  [
    'a result of no call',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't9', content: 'x' }] }] },
    /unexpected `tool_use_id`/,
  ],
  [
    'white space at the end of a prefill',
    { messages: [QUESTION, { role: 'assistant', content: 'So ' }] },
    /trailing whitespace/,
  ],
  ['an empty text', { messages: [{ role: 'user', content: '' }] }, /non-empty/],
  [
    'five markers',
    { system: Array.from({ length: 5 }, () => ({ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } })) },
    /maximum of 4/,
  ],
  [
    'a forced tool while thinking',
    { thinking: THINKING, tools: [TOOL], tool_choice: { type: 'any' } },
    /tool_choice forces/,
  ],
])('%s is refused in the words of the API', async (_, changes, words) => {
  const { ask } = await start()
  await expect(ask(changes)).rejects.toMatchObject({
    status: 400,
    type: 'invalid_request_error',
    message: expect.stringMatching(words) as string,
  })
})

test('keys and models are asked for as there', async () => {
  const { url, client } = await start({ apiKey: 'sk-ant-test' })
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['m'])
  const stranger = new Anthropic({ baseURL: url, apiKey: 'wrong', maxRetries: 0 })
  const body = { model: 'm', max_tokens: 1, messages: [QUESTION] }
  await expect(stranger.messages.create(body)).rejects.toMatchObject({ status: 401, type: 'authentication_error' })
  await expect(client.messages.create({ ...body, model: 'x' })).rejects.toMatchObject({
    status: 404,
    type: 'not_found_error',
  })
})

const streamed = async ({ post }: World): Promise<string> =>
  (
    await post(
      '/v1/messages',
      { model: 'm', max_tokens: 50, stream: true, messages: [QUESTION] },
      { 'anthropic-version': '2023-06-01' },
    )
  ).text()

test('overloaded before a stream is 529, inside of one an error event without an end', async () => {
  const world = await start({
    faults: [
      { fault: 'overloaded', requests: [1] },
      { fault: 'error-event', after: 2 },
    ],
  })
  await expect(world.ask()).rejects.toMatchObject({ status: 529, type: 'overloaded_error' })
  const text = await streamed(world)
  expect(text).toMatch(/event: error\ndata: \{"type":"error","error":\{.*"overloaded_error"/)
  expect(text).not.toContain('message_stop')
  // The refused one cost nothing, the broken one its prompt and what had been said.
  expect(world.simulator.meter.rows().get('m')).toMatchObject({ requests: 1, output: 2 })
})

test('pings and unknown events stand between others and change nothing', async () => {
  for (const fault of ['ping', 'unknown-event'] as const) {
    const world = await start({ faults: [{ fault }] })
    const text = await streamed(world)
    expect(text.split(fault === 'ping' ? 'event: ping' : 'event: model_mood').length).toBeGreaterThan(3)
    expect(text).toContain('event: message_stop')
  }
})

test('an early end comes between a delta and the stop of its block', async () => {
  const text = await streamed(await start({ faults: [{ fault: 'end-early' }] }))
  expect(text).toContain('content_block_delta')
  expect(text).not.toMatch(/content_block_stop|message_delta|message_stop/)
})

test('a refusal is a whole answer with its own reason', async () => {
  const { ask } = await start({ faults: [{ fault: 'refusal' }] })
  expect(await ask()).toMatchObject({ stop_reason: 'refusal', stop_details: { type: 'refusal' } })
})
