/** The official `openai` client's Responses API against the real process. Each name is a row of the conformance table. */
import OpenAI, { APIError, BadRequestError, NotFoundError } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { DONE_FRAME, frame, json, say, USAGE_FRAME, wantsStream, type Answer } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { sharedWorld } from '../support/shared-world.ts'

const CONFIG = (url: string): string =>
  configFor({ small: url })
    .replace('tier: frontier,', 'tier: frontier, capabilities: [tools, custom_tools, images, json_schema],')
    .replace(
      'tenant: acme }',
      `tenant: acme, store: true }
  - { name: other, key: "sk-other", tenant: umbra, store: true }
  - { name: twin, key: "sk-twin", tenant: acme }`,
    )
const world = sharedWorld(CONFIG)
const client = (apiKey = 'sk-test', baseURL = world.baseURL): OpenAI => new OpenAI({ baseURL, apiKey, maxRetries: 0 })
const WEATHER: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
}

function events(...frames: readonly string[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(frames.join(''))
  }
}

function whole(message: object, finish = 'stop'): Answer {
  return json(200, {
    id: 'chatcmpl-up',
    object: 'chat.completion',
    created: 1,
    model: 'served-model',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 7,
      total_tokens: 12,
      completion_tokens_details: { reasoning_tokens: 3 },
    },
  })
}

const call = (index: number, city: string): object => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
const first = (index: number): string =>
  frame({
    tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: 'get_weather', arguments: '' } }],
  })
const piece = (index: number, args: string): string => frame({ tool_calls: [{ index, function: { arguments: args } }] })
const twoCalls: Answer = (request, response) =>
  void (
    wantsStream(request)
      ? events(
          frame({ role: 'assistant', content: null }),
          first(0),
          piece(0, '{"city":'),
          piece(0, '"Paris"}'),
          first(1),
          piece(1, '{"city":"Rome"}'),
          frame({}, 'tool_calls'),
          USAGE_FRAME,
          DONE_FRAME,
        )
      : whole({ content: null, tool_calls: [call(0, 'Paris'), call(1, 'Rome')] }, 'tool_calls')
  )(request, response)

function sent(index = -1): { messages: Record<string, unknown>[] } & Record<string, unknown> {
  return JSON.parse(world.upstream.seen.at(index)?.body ?? '{}') as ReturnType<typeof sent>
}

test('responses: text, usage, cost and settings of a whole answer', async () => {
  const { data, response } = await client()
    .responses.create({
      model: 'auto',
      input: 'Say hello.',
      instructions: 'Be kind.',
      max_output_tokens: 50,
      metadata: { a: 'b' },
    })
    .withResponse()
  expect(data.output_text).toBe('Hello there')
  expect(data).toMatchObject({
    object: 'response',
    status: 'completed',
    instructions: 'Be kind.',
    max_output_tokens: 50,
    metadata: { a: 'b' },
    error: null,
    usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12, cost: expect.any(Number) as number },
  })
  expect(data.id).toMatch(/^resp_/)
  expect(response.headers.get('x-cost-usd')).toMatch(/^0\.\d+$/)
  expect(sent().messages).toEqual([
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Say hello.' },
  ])
})

test('responses stream: every event of the lifecycle, numbered without gaps', async () => {
  const stream = await client().responses.create({ model: 'auto', input: 'Hi', stream: true })
  const seen: OpenAI.Responses.ResponseStreamEvent[] = []
  for await (const event of stream) seen.push(event)
  expect(seen.map((event) => event.type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ])
  expect(seen.map((event) => event.sequence_number)).toEqual(seen.map((_, index) => index))
})

test('responses stream helper: final response with text and usage', async () => {
  const final = await client().responses.stream({ model: 'auto', input: 'Hi' }).finalResponse()
  expect(final.output_text).toBe('Hello there')
  expect(final.usage).toMatchObject({ total_tokens: 12, cost_nano_usd: expect.any(Number) as number })
})

test('responses tools: a call and its result go round, stateless', async () => {
  world.upstream.answer = whole({ content: null, tool_calls: [call(0, 'Paris')] }, 'tool_calls')
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Weather in Paris?' }]
  const asked = await client().responses.create({ model: 'small', input, tools: [WEATHER], store: false })
  const made = asked.output.find((item) => item.type === 'function_call')
  expect(made).toMatchObject({ call_id: 'call_0', name: 'get_weather', arguments: '{"city":"Paris"}' })
  world.upstream.answer = say('Sunny')
  const done = await client().responses.create({
    model: 'small',
    tools: [WEATHER],
    store: false,
    input: [...input, ...asked.output, { type: 'function_call_output', call_id: 'call_0', output: 'sun' }] as never,
  })
  expect(done.output_text).toBe('Sunny')
  expect(sent().messages).toEqual([
    { role: 'user', content: 'Weather in Paris?' },
    { role: 'assistant', content: null, tool_calls: [call(0, 'Paris')] },
    { role: 'tool', tool_call_id: 'call_0', content: 'sun' },
  ])
  expect(sent()['tools']).toEqual([
    { type: 'function', function: expect.objectContaining({ name: 'get_weather' }) as object },
  ])
})

test('responses tools: a call and its result go round by previous_response_id', async () => {
  world.upstream.answer = whole({ content: null, tool_calls: [call(0, 'Paris')] }, 'tool_calls')
  const asked = await client().responses.create({
    model: 'small',
    input: 'Weather?',
    instructions: 'Old.',
    tools: [WEATHER],
  })
  expect(asked).toMatchObject({ store: true })
  world.upstream.answer = say('Sunny')
  const done = await client().responses.create({
    model: 'small',
    previous_response_id: asked.id,
    input: [{ type: 'function_call_output', call_id: 'call_0', output: 'sun' }],
  })
  expect(done.previous_response_id).toBe(asked.id)
  expect(sent().messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
  const third = await client().responses.create({ model: 'small', previous_response_id: done.id, input: 'And now?' })
  expect(third.output_text).toBe('Sunny')
  expect(sent().messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
})

test('responses tools: two parallel calls, whole and put together from a stream', async () => {
  world.upstream.answer = twoCalls
  const ask = { model: 'small', input: 'Weather?', tools: [WEATHER] }
  const wholeAnswer = await client().responses.create(ask)
  const streamed = await client().responses.stream(ask).finalResponse()
  for (const answer of [wholeAnswer, streamed]) {
    expect(answer.output).toMatchObject([
      { type: 'function_call', call_id: 'call_0', arguments: '{"city":"Paris"}', status: 'completed' },
      { type: 'function_call', call_id: 'call_1', arguments: '{"city":"Rome"}', status: 'completed' },
    ])
  }
})

test('responses tools: a custom tool gets its input as text', async () => {
  const custom = { id: 'call_0', type: 'custom', custom: { name: 'patch', input: '*** Begin' } }
  world.upstream.answer = whole({ content: null, tool_calls: [custom] }, 'tool_calls')
  const format = { type: 'grammar' as const, syntax: 'lark' as const, definition: 'start: "a"' }
  const answer = await client().responses.create({
    model: 'big',
    input: 'Patch it.',
    tools: [{ type: 'custom', name: 'patch', format }],
  })
  expect(answer.output).toMatchObject([{ type: 'custom_tool_call', name: 'patch', input: '*** Begin' }])
  expect(answer.tools).toMatchObject([{ type: 'custom', name: 'patch', format }])
  const { type, ...grammar } = format
  expect(sent()['tools']).toEqual([{ type: 'custom', custom: { name: 'patch', format: { type, grammar } } }])
})

test('responses structured output: parsed by the client from its own schema', async () => {
  world.upstream.answer = say('{"city":"Paris"}')
  const format = zodTextFormat(z.object({ city: z.string() }), 'place')
  const answer = await client().responses.parse({ model: 'small', input: 'Where?', text: { format } })
  expect(answer.output_parsed).toEqual({ city: 'Paris' })
  expect(sent()['response_format']).toMatchObject({ type: 'json_schema', json_schema: { name: 'place', strict: true } })
})

test('responses reasoning: open thinking of an engine is shown and counted', async () => {
  world.upstream.answer = whole({ content: '4', reasoning_content: 'Two and two.' })
  const answer = await client().responses.create({ model: 'small', input: '2+2?', reasoning: { effort: 'low' } })
  expect(answer.output).toMatchObject([
    { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Two and two.' }] },
    { type: 'message' },
  ])
  expect(answer.usage?.output_tokens_details.reasoning_tokens).toBe(3)
  await client().responses.create({ model: 'small', previous_response_id: answer.id, input: 'And 3+3?' })
  expect(sent().messages[1]).toMatchObject({
    role: 'assistant',
    content: [{ text: '4' }],
    reasoning_content: 'Two and two.',
  })
})

test('responses refusal: a part of its own, whole and streamed', async () => {
  world.upstream.answer = whole({ content: null, refusal: 'No.' })
  const answer = await client().responses.create({ model: 'big', input: 'Bad thing' })
  expect(answer.output).toMatchObject([{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }])
  world.upstream.answer = events(
    frame({ refusal: 'N' }),
    frame({ refusal: 'o.' }),
    frame({}, 'stop'),
    USAGE_FRAME,
    DONE_FRAME,
  )
  const streamed = await client().responses.stream({ model: 'big', input: 'Bad thing' }).finalResponse()
  expect(streamed.output).toMatchObject([{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }])
})

test('responses cut at max_output_tokens: incomplete, with the reason', async () => {
  world.upstream.answer = whole({ content: 'Hel' }, 'length')
  const answer = await client().responses.create({ model: 'small', input: 'Hi', max_output_tokens: 16 })
  expect(answer).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
  world.upstream.answer = events(frame({ content: 'Hel' }), frame({}, 'length'), USAGE_FRAME, DONE_FRAME)
  const types: string[] = []
  for await (const event of await client().responses.create({ model: 'small', input: 'Hi', stream: true }))
    types.push(event.type)
  expect(types.at(-1)).toBe('response.incomplete')
})

test('responses images: an address reaches the upstream with its detail', async () => {
  await client().responses.create({
    model: 'big',
    input: [
      { role: 'user', content: [{ type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' }] },
    ],
  })
  expect(sent().messages[0]?.['content']).toEqual([
    { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
  ])
})

test('responses error class: BadRequestError names the parameter', async () => {
  const refused = async (more: object): Promise<unknown> =>
    client()
      .responses.create({ model: 'auto', input: 'x', ...more })
      .catch((error: unknown) => error)
  for (const [more, param] of [
    [{ background: true }, 'background'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tool_choice: { type: 'file_search' } }, 'tool_choice.type'],
    [{ messages: [] }, 'messages'],
    [{ instructoins: 'x' }, 'instructoins'],
    [{ base_url: 'http://x' }, 'base_url'],
    [{ input: [{ type: 'function_call_output', call_id: 'call_9', output: 'x' }] }, 'input'],
    [{ input: [{ type: 'local_shell_call', id: 'x' }] }, 'input[0].type'],
  ] as const) {
    const error = await refused(more)
    expect(error, param).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ param, status: 400 })
  }
  expect(world.upstream.seen).toEqual([])
})

test('responses error in the stream: the client throws, and nothing says completed', async () => {
  world.upstream.answer = events(
    frame({ content: 'Hel' }),
    'data: {"error":{"message":"boom","type":"server_error"}}\n\n',
    DONE_FRAME,
  )
  const types: string[] = []
  const read = async (): Promise<void> => {
    for await (const event of await client().responses.create({ model: 'small', input: 'Hi', stream: true }))
      types.push(event.type)
  }
  await expect(read()).rejects.toBeInstanceOf(APIError)
  expect(types).toContain('response.output_text.delta')
  expect(types.at(-1)).toBe('response.failed')
  expect(types).not.toContain('response.completed')
})

test('responses cut stream: the client throws instead of taking the end for success', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ content: 'Hel' }), () => response.destroy())
  }
  await expect(client().responses.stream({ model: 'small', input: 'Hi' }).finalResponse()).rejects.toBeInstanceOf(Error)
})

test('responses abort: leaving a stream frees the upstream', async () => {
  const held = Promise.withResolvers<Promise<void>>()
  world.upstream.answer = (request, response) => {
    held.resolve(request.aborted)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ content: 'Hel' }))
  }
  for await (const event of await client().responses.create({ model: 'small', input: 'Hi', stream: true }))
    if (event.type === 'response.output_text.delta') break
  await held.promise
})

test('responses stored: read, list of the input, delete', async () => {
  const made = await client().responses.create({ model: 'small', input: [{ role: 'user', content: 'One' }] })
  const next = await client().responses.create({ model: 'small', previous_response_id: made.id, input: 'Two' })
  expect(await client().responses.retrieve(made.id)).toMatchObject({
    id: made.id,
    output_text: 'Hello there',
    usage: made.usage,
  })
  const page = await client().responses.inputItems.list(next.id, { order: 'asc', limit: 2 })
  expect(page.data).toMatchObject([
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'One' }] },
    { type: 'message', role: 'assistant' },
  ])
  const rest: unknown[] = []
  for await (const item of client().responses.inputItems.list(next.id, { order: 'asc', limit: 1 })) rest.push(item)
  expect(rest).toHaveLength(3)
  await expect(client().responses.cancel(made.id)).rejects.toThrow(/Cannot cancel a synchronous response/)
  await expect(client().get(`/responses/${made.id}?stream=true`)).rejects.toMatchObject({ param: 'stream' })
  await client().responses.delete(made.id)
  await expect(client().responses.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError)
  // What a conversation rests on is gone: going on with half of it would be another conversation.
  await expect(
    client().responses.create({ model: 'small', previous_response_id: next.id, input: 'x' }),
  ).rejects.toMatchObject({
    status: 404,
    code: 'previous_response_not_found',
  })
})

test('responses stored: an item of an earlier answer by reference', async () => {
  const made = await client().responses.create({ model: 'small', input: 'One' })
  const id = made.output[0]?.id ?? ''
  await client().responses.create({
    model: 'small',
    input: [
      { type: 'item_reference', id },
      { role: 'user', content: 'Two' },
    ],
  })
  expect(sent().messages.map(({ role }) => role)).toEqual(['assistant', 'user'])
})

test('responses stored: another tenant sees nothing, and a key without the setting stores nothing', async () => {
  const made = await client().responses.create({ model: 'small', input: 'Secret' })
  const other = client('sk-other')
  await expect(other.responses.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError)
  await expect(other.responses.delete(made.id)).rejects.toBeInstanceOf(NotFoundError)
  await expect(other.responses.inputItems.list(made.id)).rejects.toBeInstanceOf(NotFoundError)
  await expect(other.responses.cancel(made.id)).rejects.toBeInstanceOf(NotFoundError)
  await expect(
    other.responses.create({ model: 'small', previous_response_id: made.id, input: 'x' }),
  ).rejects.toMatchObject({ status: 404 })
  const item = { type: 'item_reference' as const, id: made.output[0]?.id ?? '' }
  await expect(other.responses.create({ model: 'small', input: [item] })).rejects.toBeInstanceOf(NotFoundError)
  const calls = world.upstream.seen.length
  const unkept = await client('sk-twin').responses.create({ model: 'small', input: 'x', store: true })
  expect(unkept).toMatchObject({ store: false })
  await expect(client().responses.retrieve(unkept.id)).rejects.toBeInstanceOf(NotFoundError)
  expect(world.upstream.seen.length).toBe(calls + 1)
})

test('responses stored: a restart keeps them', async () => {
  const config = CONFIG(world.upstream.url)
  const env = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
  const before = await startGatewayProcess({ config, env })
  const made = await client('sk-test', `${before.url}/v1`).responses.create({ model: 'small', input: 'One' })
  before.signal('SIGKILL')
  await before.exited
  const after = await startGatewayProcess({ config, env, dir: before.dir })
  const again = client('sk-test', `${after.url}/v1`)
  expect((await again.responses.retrieve(made.id)).output_text).toBe('Hello there')
  await again.responses.create({ model: 'small', previous_response_id: made.id, input: 'Two' })
  expect(sent().messages).toHaveLength(3)
})
