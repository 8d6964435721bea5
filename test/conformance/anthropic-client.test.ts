/** The official `@anthropic-ai/sdk` against the real process. Each name is a row of the conformance table. */
import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { DONE_FRAME, frame, json, say, USAGE_FRAME, wantsStream, type Answer } from '../support/fake-upstream.ts'
import { configFor } from '../support/gateway-process.ts'
import { sharedWorld } from '../support/shared-world.ts'

const world = sharedWorld((url) =>
  configFor({ small: url }).replaceAll('contextTokens:', 'capabilities: [tools, images, json_schema], contextTokens:'),
)
const client = (options: { apiKey?: string; maxRetries?: number } = {}): Anthropic =>
  new Anthropic({
    baseURL: world.gateway.url,
    apiKey: options.apiKey ?? 'sk-test',
    maxRetries: options.maxRetries ?? 0,
  })
const ask: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'auto',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Say hello.' }],
}
const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
/** Gone from the client's own types, since new models refuse them; older ones and engines obey. */
const SAMPLING = { temperature: 0, top_p: 0.5, top_k: 40 }
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const HEAD = { id: 'chatcmpl-up', object: 'chat.completion', created: 1, model: 'served-model' }
const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }

/** The same message, whole or streamed in these frames, as the gateway asks. */
function answer(message: object, finish: string, ...frames: readonly string[]): Answer {
  return (request, response) => {
    if (!wantsStream(request)) {
      void json(200, { ...HEAD, choices: [{ index: 0, message, finish_reason: finish }], usage: USAGE })(
        request,
        response,
      )
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end([...frames, frame({}, finish), USAGE_FRAME, DONE_FRAME].join(''))
  }
}

const call = (index: number, city: string): object => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
const piece = (index: number, args: string): string => frame({ tool_calls: [{ index, function: { arguments: args } }] })
const first = (index: number): string =>
  frame({
    tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: 'get_weather', arguments: '' } }],
  })
const twoToolCalls = answer(
  { role: 'assistant', content: null, tool_calls: [call(0, 'Paris'), call(1, 'Rome')] },
  'tool_calls',
  frame({ role: 'assistant', content: null }),
  first(0),
  piece(0, '{"city":'),
  piece(0, '"Paris"}'),
  first(1),
  piece(1, '{"city":"Ro'),
  piece(1, 'me"}'),
)
const thinkingAnswer = answer(
  { role: 'assistant', reasoning_content: 'Two plus two.', content: 'Four' },
  'stop',
  frame({ role: 'assistant', content: '' }),
  frame({ reasoning_content: 'Two plus' }),
  frame({ reasoning_content: ' two.' }),
  frame({ content: 'Four' }),
)

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
/** What the upstream was sent. */
const sent = (at = 0): Record<string, unknown> =>
  JSON.parse(world.upstream.seen[at]?.body ?? '{}') as Record<string, unknown>

test('messages: text, stop reason, usage, cost and route of a whole answer', async () => {
  const { data, response } = await client().messages.create(ask).withResponse()
  expect(data).toMatchObject({
    id: expect.stringMatching(/^msg_/) as string,
    type: 'message',
    role: 'assistant',
    model: 'served-model',
    content: [{ type: 'text', text: 'Hello there' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: 5,
      output_tokens: 7,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      cost: expect.any(Number) as number,
      cost_nano_usd: expect.any(Number) as number,
    },
  })
  expect(response.headers.get('x-route')).toMatch(/local|frontier/)
  expect(response.headers.get('x-cost-usd')).toMatch(/^0\.\d+$/)
})

test('messages: request id of the answer under both names', async () => {
  const { request_id: id, response } = await client().messages.create(ask).withResponse()
  expect(id).toMatch(/^req_/)
  expect(response.headers.get('x-request-id')).toBe(id)
})

test('messages: system, sampling and stop sequences arrive', async () => {
  await client().messages.create({
    ...ask,
    model: 'small',
    system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    stop_sequences: ['END'],
    ...SAMPLING,
  })
  expect(sent()).toMatchObject({
    model: 'small-model',
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Be short.' }] },
      { role: 'user', content: 'Say hello.' },
    ],
    max_tokens: 64,
    temperature: 0,
    top_p: 0.5,
    top_k: 40,
    stop: ['END'],
  })
})

test('messages: cached tokens are apart from the input tokens', async () => {
  world.upstream.answer = json(200, {
    ...HEAD,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { ...USAGE, prompt_tokens: 100, total_tokens: 107, prompt_tokens_details: { cached_tokens: 80 } },
  })
  const { usage } = await client().messages.create({ ...ask, model: 'small' })
  expect(usage).toMatchObject({ input_tokens: 20, cache_read_input_tokens: 80, output_tokens: 7 })
})

test('messages: a cut answer says max_tokens, a declined one refusal', async () => {
  world.upstream.answer = answer({ role: 'assistant', content: 'Hel' }, 'length')
  expect(await client().messages.create({ ...ask, model: 'small' })).toMatchObject({ stop_reason: 'max_tokens' })
  world.upstream.answer = answer({ role: 'assistant', content: null, refusal: 'I cannot help.' }, 'stop')
  expect(await client().messages.create({ ...ask, model: 'small' })).toMatchObject({
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', explanation: 'I cannot help.' },
    content: [{ type: 'text', text: 'I cannot help.' }],
  })
})

test('messages: the stop sequence that ended the answer is named where the engine says it', async () => {
  const choice = { index: 0, message: { role: 'assistant', content: 'Hel' }, finish_reason: 'stop', stop_reason: 'END' }
  world.upstream.answer = json(200, { ...HEAD, choices: [choice], usage: USAGE })
  expect(await client().messages.create({ ...ask, model: 'small', stop_sequences: ['END'] })).toMatchObject({
    stop_reason: 'stop_sequence',
    stop_sequence: 'END',
  })
})

test('stream: events in the order of the API', async () => {
  const events = await Array.fromAsync(await client().messages.create({ ...ask, stream: true }))
  expect(events.map(({ type }) => type)).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
  expect(events.at(-2)).toMatchObject({
    delta: { stop_reason: 'end_turn' },
    usage: { input_tokens: 5, output_tokens: 7, cost_nano_usd: expect.any(Number) as number },
  })
})

test('stream helper: text events and the final message', async () => {
  const stream = client().messages.stream(ask)
  const deltas: string[] = []
  stream.on('text', (text) => deltas.push(text))
  const message = await stream.finalMessage()
  expect(deltas).toEqual(['Hello', ' there'])
  expect(message).toMatchObject({
    content: [{ type: 'text', text: 'Hello there' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 5, output_tokens: 7 },
  })
})

test('tools: a call and its result go round', async () => {
  world.upstream.answer = twoToolCalls
  const asked = await client().messages.create({ ...ask, tools: [WEATHER], tool_choice: { type: 'any' } })
  expect(sent()).toMatchObject({
    tools: [{ type: 'function', function: { name: 'get_weather', parameters: WEATHER.input_schema } }],
    tool_choice: 'required',
  })
  expect(asked.stop_reason).toBe('tool_use')
  world.upstream.answer = say('Sunny.')
  const results = asked.content
    .filter((block) => block.type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '20 C' }) as const)
  const final = await client().messages.create({
    ...ask,
    tools: [WEATHER],
    messages: [...ask.messages, { role: 'assistant', content: asked.content }, { role: 'user', content: results }],
  })
  expect(final.content).toMatchObject([{ text: 'Sunny.' }])
  expect(sent(1)['messages']).toMatchObject([
    { role: 'user' },
    {
      role: 'assistant',
      tool_calls: [
        { id: 'call_0', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { id: 'call_1', function: { arguments: '{"city":"Rome"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_0', content: '20 C' },
    { role: 'tool', tool_call_id: 'call_1', content: '20 C' },
  ])
})

test('parallel tools: two calls in a whole answer', async () => {
  world.upstream.answer = twoToolCalls
  const message = await client().messages.create({ ...ask, tools: [WEATHER] })
  expect(message.content).toMatchObject([
    { type: 'tool_use', id: 'call_0', name: 'get_weather', input: { city: 'Paris' } },
    { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Rome' } },
  ])
})

test('parallel tools: two calls put together from a stream, also where their fragments come mixed', async () => {
  const mixed = answer(
    {},
    'tool_calls',
    first(0),
    piece(0, '{"city":'),
    first(1),
    piece(1, '{"city":"Rome"}'),
    piece(0, '"Paris"}'),
  )
  for (const script of [twoToolCalls, mixed]) {
    world.upstream.answer = script
    const message = await client()
      .messages.stream({ ...ask, tools: [WEATHER] })
      .finalMessage()
    expect(message.content).toMatchObject([{ input: { city: 'Paris' } }, { input: { city: 'Rome' } }])
    expect(message.stop_reason).toBe('tool_use')
  }
})

test('parallel tools: they can be switched off', async () => {
  await client().messages.create({
    ...ask,
    tools: [WEATHER],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
  })
  expect(sent()).toMatchObject({ tool_choice: 'auto', parallel_tool_calls: false })
})

test('tools: arguments that are no JSON are shown and not lost', async () => {
  world.upstream.answer = answer(
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{"city":' } }],
    },
    'tool_calls',
  )
  const message = await client().messages.create({ ...ask, model: 'small', tools: [WEATHER] })
  expect(message.content).toMatchObject([{ input: { INVALID_JSON: '{"city":' } }])
})

test('images: as data and by address', async () => {
  await client().messages.create({
    ...ask,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/cat.png' } },
          { type: 'text', text: 'What is this?' },
        ],
      },
    ],
  })
  expect(sent()['messages']).toEqual([
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
        { type: 'text', text: 'What is this?' },
      ],
    },
  ])
})

test("thinking: an engine's reasoning comes as a thinking block and goes back to it", async () => {
  world.upstream.answer = thinkingAnswer
  const whole = await client().messages.create({ ...ask, thinking: { type: 'adaptive' } })
  const streamed = await client()
    .messages.stream({ ...ask, thinking: { type: 'adaptive' } })
    .finalMessage()
  for (const message of [whole, streamed])
    expect(message.content).toEqual([
      { type: 'thinking', thinking: 'Two plus two.', signature: '' },
      { type: 'text', text: 'Four' },
    ])
  await client().messages.create({
    ...ask,
    messages: [
      ...ask.messages,
      { role: 'assistant', content: streamed.content },
      { role: 'user', content: 'And three?' },
    ],
  })
  expect(sent(2)['messages']).toMatchObject([
    {},
    { role: 'assistant', reasoning_content: 'Two plus two.', content: [{ text: 'Four' }] },
    {},
  ])
})

test('thinking: switched off it is not shown', async () => {
  world.upstream.answer = thinkingAnswer
  const message = await client().messages.create({ ...ask, thinking: { type: 'disabled' } })
  expect(message.content).toEqual([{ type: 'text', text: 'Four' }])
})

test('structured output: parsed from output_config', async () => {
  world.upstream.answer = say('{"answer":', '42}')
  const schema = { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'] }
  await client().messages.create({ ...ask, output_config: { format: { type: 'json_schema', schema } } })
  expect(sent()).toMatchObject({
    response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
  })
})

test('beta client: its query, header and fields are understood', async () => {
  const { data, response } = await client()
    .beta.messages.create({
      ...ask,
      betas: ['context-management-2025-06-27'],
      context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    })
    .withResponse()
  expect(data.content).toMatchObject([{ text: 'Hello there' }])
  expect(response.headers.get('x-switchyard-dropped')).toBe(
    'context_management, anthropic-beta.context-management-2025-06-27',
  )
})

test('count_tokens: an answer and who counted', async () => {
  const { data, response } = await client()
    .messages.countTokens({ model: 'small', messages: [{ role: 'user', content: 'Say hello.' }] })
    .withResponse()
  expect(data.input_tokens).toBeGreaterThan(2)
  expect(response.headers.get('x-token-count')).toBe('bound')
  expect(response.headers.get('x-cost-usd')).toBeNull()
})

test("count_tokens: the engine's own count where it can say", async () => {
  world.upstream.answer = json(200, { count: 12, max_model_len: 1000, tokens: [] })
  const { response } = await client()
    .messages.countTokens({ model: 'small', messages: [{ role: 'user', content: 'Say hello.' }] })
    .withResponse()
  expect(world.upstream.seen.map(({ path }) => path)).toEqual(['/tokenize'])
  expect(response.headers.get('x-token-count')).toBe('engine')
})

test('abort: leaving a stream frees the upstream', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write(frame({ content: 'x' })), 10)
    response.on('close', () => clearInterval(timer))
  }
  for await (const _event of await client().messages.create({ ...ask, stream: true })) break
  await world.upstream.seen[0]?.aborted
})

test('abort: a signal before the first token frees the upstream', async () => {
  const abort = new AbortController()
  world.upstream.answer = () => abort.abort()
  const error = await caught(client().messages.create(ask, { signal: abort.signal }))
  expect(error).toMatchObject({ message: expect.stringMatching(/abort/i) as string })
  await world.upstream.seen[0]?.aborted
})

test('error class: AuthenticationError for a wrong key', async () => {
  const error = await caught(client({ apiKey: 'sk-wrong-test' }).messages.create(ask))
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error).toMatchObject({
    type: 'authentication_error',
    errorCode: 'invalid_api_key',
    requestID: expect.stringMatching(/^req_/) as string,
  })
})

test('error class: BadRequestError names the parameter', async () => {
  const error = await caught(client().messages.create({ ...ask, max_tokens: 0 }))
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({
    type: 'invalid_request_error',
    details: { error_code: 'integer_below_min_value', param: 'max_tokens' },
    requestID: expect.stringMatching(/^req_/) as string,
  })
})

test('error class: PaymentRequiredError for a task whose budget is gone', async () => {
  const headers = { 'x-task-id': 'poor', 'x-task-budget-usd': '0.000000001' }
  const error = await caught(client({ maxRetries: 2 }).messages.create(ask, { headers }))
  expect(error).toMatchObject({ status: 402, type: 'billing_error' })
  expect(world.upstream.seen).toEqual([])
})

test('error class: NotFoundError for an unknown model names near ones', async () => {
  const error = await caught(client().messages.create({ ...ask, model: 'smal' }))
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error).toMatchObject({
    type: 'not_found_error',
    errorCode: 'model_not_found',
    message: expect.stringContaining('small') as string,
  })
})

test('error class: RateLimitError keeps the retry time of the upstream', async () => {
  world.upstream.answer = json(429, { error: { message: 'no' } }, { 'retry-after': '3' })
  const error = await caught(client().messages.create({ ...ask, model: 'small' }))
  expect(error).toBeInstanceOf(RateLimitError)
  expect((error as RateLimitError).headers.get('retry-after')).toBe('3')
})

test('error class: InternalServerError for a broken upstream, overloaded for a full one', async () => {
  world.upstream.answer = json(500, { error: { message: 'boom' } })
  const broken = await caught(client().messages.create({ ...ask, model: 'small' }))
  expect(broken).toBeInstanceOf(InternalServerError)
  expect(broken).toMatchObject({ status: 502, type: 'api_error' })
  world.upstream.answer = json(503, { error: { message: 'full' } })
  const full = await caught(client().messages.create({ ...ask, model: 'small' }))
  expect(full).toBeInstanceOf(InternalServerError)
  expect(full).toMatchObject({ status: 503, type: 'overloaded_error' })
})

test('error in the stream: the client throws instead of taking the end for success', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(frame({ role: 'assistant', content: 'Hel' }) + 'data: {"error":{"message":"boom"}}\n\n')
  }
  const error = await caught(client().messages.stream(ask).finalMessage())
  expect(error).toBeInstanceOf(APIError)
  expect((error as APIError).message).not.toContain('boom')
})

test('cut stream: the client throws instead of taking the end for success', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: 'Hel' }), () => response.destroy())
  }
  const stream = await client().messages.create({ ...ask, stream: true })
  const error = await caught(Array.fromAsync(stream))
  expect(error).toBeInstanceOf(APIError)
  expect(error).toMatchObject({ type: 'api_error' })
})

test('retries: what a retry cannot mend is sent once', async () => {
  world.upstream.answer = json(401, { error: { message: 'no' } })
  await caught(client({ maxRetries: 2 }).messages.create({ ...ask, model: 'small' }))
  expect(world.upstream.seen).toHaveLength(1)
})

test('retries: a passing fault is retried by the client and mended', async () => {
  let calls = 0
  world.upstream.answer = (request, response) => {
    calls += 1
    return calls === 1 ? json(503, {})(request, response) : say('Hello')(request, response)
  }
  const message = await client({ maxRetries: 1 }).messages.create({ ...ask, model: 'small' })
  expect(message.content).toMatchObject([{ text: 'Hello' }])
})

test('retries: an idempotency key is answered once and replayed at no cost', async () => {
  const options = { headers: { 'Idempotency-Key': 'conformance-anthropic-1' } }
  await client().messages.create(ask, options)
  const { data, response } = await client().messages.create(ask, options).withResponse()
  expect(world.upstream.seen).toHaveLength(1)
  expect(data.content).toMatchObject([{ text: 'Hello there' }])
  expect(response.headers.get('x-cost-usd')).toBe('0')
})

test('models: list and one by name', async () => {
  const models = await Array.fromAsync(client().models.list())
  expect(models.map(({ id }) => id)).toEqual(expect.arrayContaining(['auto', 'small', 'big']))
  expect(models[0]).toMatchObject({ type: 'model', display_name: expect.any(String) as string })
  expect((await client().models.retrieve('small')).id).toBe('small')
  expect(await caught(client().models.retrieve('nope'))).toBeInstanceOf(NotFoundError)
})
