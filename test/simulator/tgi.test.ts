import OpenAI from 'openai'
import { expect, test } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { startWire, type SimulatedWire } from '../support/simulated-wire.ts'

const chat = { model: 'whatever', messages: [{ role: 'user' as const, content: 'What is the weather in Paris?' }] }

const start = (changes: Partial<SimulatorOptions> = {}): Promise<SimulatedWire> => startWire('tgi', changes)

function eventsOf(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n\n')
    .flatMap((frame) =>
      /^data: ?\{/.test(frame) ? [JSON.parse(frame.slice(frame.indexOf('{'))) as Record<string, unknown>] : [],
    )
}

test('the OpenAI client reads its chat answers: no id, one model, usage', async () => {
  const { url } = await start()
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 })
  const whole = await client.chat.completions.create(chat)
  expect(whole).toMatchObject({ id: '', model: 'm', object: 'chat.completion' })
  const stream = await client.chat.completions.create({
    ...chat,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await Array.fromAsync(stream)
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(whole.choices[0]?.message.content)
  expect(chunks.at(-1)?.usage).toEqual(whole.usage)
  // The finish reason stands beside the last token.
  const last = chunks.at(-2)?.choices[0]
  expect([last?.finish_reason, last?.delta.content]).toEqual(['stop', expect.stringMatching(/./) as string])
})

test('a tool call is numbered "0" and ends with stop', async () => {
  const { post } = await start()
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'The weather in a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    },
  ]
  const { choices } = (await (await post('/v1/chat/completions', { ...chat, tools })).json()) as OpenAI.ChatCompletion
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { tool_calls: [{ id: '0' }] } })
  const events = eventsOf(
    await (await post('/v1/chat/completions', { ...chat, tools, stream: true })).text(),
  ) as unknown as OpenAI.ChatCompletionChunk[]
  const calls = events.flatMap((event) => event.choices[0]?.delta.tool_calls ?? [])
  const whole = choices[0]?.message.tool_calls?.[0]
  const text = calls.map((call) => call.function?.arguments).join('')
  expect(whole).toMatchObject({ function: { arguments: text } })
  expect(JSON.parse(text)).toHaveProperty('city')
})

test('generate gives text and details; its stream a token per event and both with the last', async () => {
  const { post, simulator } = await start()
  const body = { inputs: 'Once upon a time', parameters: { details: true } }
  const whole = (await (await post('/generate', body)).json()) as {
    generated_text: string
    details: { finish_reason: string; generated_tokens: number }
  }
  const events = eventsOf(await (await post('/generate_stream', body)).text())
  expect(
    events
      .flatMap(({ token }) =>
        (token as { special: boolean; text: string }).special ? [] : [(token as { text: string }).text],
      )
      .join(''),
  ).toBe(whole.generated_text)
  expect(events.at(-1)).toMatchObject({
    generated_text: whole.generated_text,
    details: { finish_reason: 'eos_token', generated_tokens: whole.details.generated_tokens, input_length: 5 },
  })
  expect(events.slice(0, -1).every((event) => event['details'] === null)).toBe(true)
  expect(simulator.meter.total()).toBe(BigInt(2 * (5 * 3000 + whole.details.generated_tokens * 15_000)))
})

test.each([
  [{ max_new_tokens: 3 }, 'length', 3],
  [{ stop: ['.'] }, 'stop_sequence', undefined],
])('generate with %j ends with %s', async (parameters, reason, tokens) => {
  const { post } = await start()
  const events = eventsOf(await (await post('/generate_stream', { inputs: 'Once upon a time', parameters })).text())
  expect(events.at(-1)?.['details']).toMatchObject({
    finish_reason: reason,
    ...(tokens && { generated_tokens: tokens }),
  })
  if (tokens !== undefined) expect(events).toHaveLength(tokens)
})

test.each([
  [{ type: 'json', value: { type: 'object', properties: { n: { type: 'integer' } } } }],
  [{ type: 'json_schema', value: { name: 'x', schema: { type: 'object', properties: { n: { type: 'integer' } } } } }],
])('the form %j of an answer is kept to, in both routes', async (format) => {
  const { post } = await start()
  const answer = (await (
    await post('/v1/chat/completions', { ...chat, response_format: format })
  ).json()) as OpenAI.ChatCompletion
  const native = (await (await post('/generate', { inputs: 'A number', parameters: { grammar: format } })).json()) as {
    generated_text: string
  }
  for (const text of [answer.choices[0]?.message.content ?? '', native.generated_text])
    expect(JSON.parse(text)).toEqual({ n: expect.any(Number) as number })
})

test('it says what it is', async () => {
  const { url } = await start()
  const page = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text()
  expect(JSON.parse(await page('/info'))).toMatchObject({ model_id: 'm', router: 'text-generation-router' })
  expect(await page('/health')).toBe('')
  expect(await page('/metrics')).toMatch(/^tgi_batch_current_size 0$/m)
})

test.each<[string, string, object, number, object]>([
  ['nothing to answer', '/v1/chat/completions', { messages: [] }, 422, { error_type: 'template_error' }],
  [
    "OpenAI's form of a schema",
    '/v1/chat/completions',
    { ...chat, response_format: { type: 'json_schema', json_schema: {} } },
    422,
    { error_type: 'validation' },
  ],
  ['an empty prompt', '/generate', { inputs: '' }, 422, { error_type: 'validation' }],
  [
    'more than it can hold',
    '/generate',
    { inputs: 'a', parameters: { max_new_tokens: 131_072 } },
    422,
    { error_type: 'validation' },
  ],
])('%s is refused in its own words', async (_, path, body, status, error) => {
  const reply = await (await start()).post(path, body)
  expect(reply.status).toBe(status)
  expect(await reply.json()).toMatchObject(error)
})

test('its faults: overloaded 429, validation 422, and a failed generation inside of a stream', async () => {
  const { post } = await start({
    faults: [{ fault: 'overloaded', requests: [1] }, { fault: 'validation', requests: [2] }, { fault: 'error-event' }],
  })
  const overloaded = await post('/v1/chat/completions', chat)
  expect([overloaded.status, await overloaded.json()]).toEqual([
    429,
    { error: 'Model is overloaded', error_type: 'overloaded' },
  ])
  expect((await post('/v1/chat/completions', chat)).status).toBe(422)
  const reply = await post('/v1/chat/completions', { ...chat, stream: true })
  expect(reply.status).toBe(200)
  const text = await reply.text()
  expect(eventsOf(text).at(-1)).toMatchObject({ error_type: 'generation' })
  expect(text).not.toContain('[DONE]')
})
