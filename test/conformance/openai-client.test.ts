/** The official `openai` client against the real process. Each name is a row of the conformance table. */
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { frame, json, USAGE_FRAME, DONE_FRAME, say, wantsStream, type Answer } from '../support/fake-upstream.ts'
import { sharedWorld } from '../support/shared-world.ts'

const world = sharedWorld()
const client = (options: { apiKey?: string; maxRetries?: number } = {}): OpenAI =>
  new OpenAI({ baseURL: world.baseURL, apiKey: options.apiKey ?? 'sk-test', maxRetries: options.maxRetries ?? 0 })
const ask: { model: string; messages: OpenAI.ChatCompletionMessageParam[] } = {
  model: 'auto',
  messages: [{ role: 'user', content: 'Say hello.' }],
}
const WEATHER: OpenAI.ChatCompletionFunctionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

function events(...frames: readonly string[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(frames.join(''))
  }
}

const call = (index: number, city: string): object => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})

/** Two tool calls, as the caller asked: whole, or streamed in fragments. */
const twoToolCalls: Answer = (request, response) => {
  if (!wantsStream(request)) {
    const message = {
      role: 'assistant',
      content: null,
      tool_calls: [call(0, 'Paris'), call(1, 'Rome')],
    }
    void json(200, {
      id: 'chatcmpl-up',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })(request, response)
    return
  }
  const piece = (index: number, args: string): string =>
    frame({ tool_calls: [{ index, function: { arguments: args } }] })
  const first = (index: number): string =>
    frame({
      tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: 'get_weather', arguments: '' } }],
    })
  void events(
    frame({ role: 'assistant', content: null }),
    first(0),
    piece(0, '{"city":'),
    piece(0, '"Paris"}'),
    first(1),
    piece(1, '{"city":"Rome"}'),
    frame({}, 'tool_calls'),
    USAGE_FRAME,
    DONE_FRAME,
  )(request, response)
}

test('chat: text, usage, cost and route of a whole answer', async () => {
  const { data, response } = await client().chat.completions.create(ask).withResponse()
  expect(data.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'Hello there' })
  expect(data.usage).toMatchObject({
    prompt_tokens: 5,
    completion_tokens: 7,
    total_tokens: 12,
    cost: expect.any(Number) as number,
  })
  expect(response.headers.get('x-route')).toMatch(/local|frontier/)
  expect(response.headers.get('x-cost-usd')).toMatch(/^0\.\d+$/)
})

test('chat: request id of the answer', async () => {
  const completion = await client().chat.completions.create(ask)
  expect(completion._request_id).toMatch(/^req_/)
})

test('chat: parts as content, developer role and every sampling field', async () => {
  await client().chat.completions.create({
    model: 'small',
    messages: [
      { role: 'developer', content: 'Be short.' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    ],
    temperature: 0,
    top_p: 0.5,
    seed: 1,
    stop: ['x'],
    max_completion_tokens: 10,
    frequency_penalty: 0.1,
    presence_penalty: 0.1,
  })
  expect(JSON.parse(world.upstream.seen[0]?.body ?? '{}')).toMatchObject({
    temperature: 0,
    top_p: 0.5,
    seed: 1,
    max_tokens: 10,
    model: 'small-model',
  })
})

test('stream: chunks in order, and the end', async () => {
  const stream = await client().chat.completions.create({ ...ask, stream: true })
  let text = ''
  let finish: string | null | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
    expect(chunk.usage ?? null).toBeNull()
  }
  expect([text, finish]).toEqual(['Hello there', 'stop'])
})

test('stream: usage and cost in the last chunk when asked', async () => {
  const stream = await client().chat.completions.create({
    ...ask,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await Array.fromAsync(stream)
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12, cost: expect.any(Number) as number } })
  expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
})

test('stream helper: final message and events', async () => {
  const runner = client().chat.completions.stream(ask)
  const deltas: string[] = []
  runner.on('content', (delta) => deltas.push(delta))
  expect(await runner.finalContent()).toBe('Hello there')
  expect(deltas).toEqual(['Hello', ' there'])
})

test('tools: a call and its result go round', async () => {
  world.upstream.answer = twoToolCalls
  const first = await client().chat.completions.create({ ...ask, tools: [WEATHER] })
  const message = first.choices[0]!.message
  world.upstream.answer = say('Sunny.')
  const second = await client().chat.completions.create({
    model: 'auto',
    tools: [WEATHER],
    messages: [
      ...ask.messages,
      message,
      ...(message.tool_calls ?? []).map(({ id }) => ({ role: 'tool', tool_call_id: id, content: '20 C' }) as const),
    ],
  })
  expect(second.choices[0]?.message.content).toBe('Sunny.')
})

test('parallel tools: two calls in a whole answer', async () => {
  world.upstream.answer = twoToolCalls
  const completion = await client().chat.completions.create({ ...ask, tools: [WEATHER], parallel_tool_calls: true })
  expect(completion.choices[0]?.finish_reason).toBe('tool_calls')
  expect(
    completion.choices[0]?.message.tool_calls?.map((each) => each.type === 'function' && each.function.arguments),
  ).toEqual(['{"city":"Paris"}', '{"city":"Rome"}'])
})

test('parallel tools: two calls put together from a stream', async () => {
  world.upstream.answer = twoToolCalls
  const final = await client()
    .chat.completions.stream({ ...ask, tools: [WEATHER] })
    .finalChatCompletion()
  expect(
    final.choices[0]?.message.tool_calls?.map((each) => each.type === 'function' && each.function.arguments),
  ).toEqual(['{"city":"Paris"}', '{"city":"Rome"}'])
})

test('structured output: parsed by the client from its own schema', async () => {
  world.upstream.answer = say('{"answer":', '42}')
  const schema = z.object({ answer: z.number() })
  const completion = await client().chat.completions.parse({
    ...ask,
    response_format: zodResponseFormat(schema, 'answer'),
  })
  expect(completion.choices[0]?.message.parsed).toEqual({ answer: 42 })
  expect(JSON.parse(world.upstream.seen[0]?.body ?? '{}')).toMatchObject({
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true } },
  })
})

test('abort: leaving a stream frees the upstream', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write(frame({ content: 'x' })), 10)
    response.on('close', () => clearInterval(timer))
  }
  const stream = await client().chat.completions.create({ ...ask, stream: true })
  for await (const _chunk of stream) break
  await world.upstream.seen[0]?.aborted
})

test('abort: a signal before the first token frees the upstream', async () => {
  world.upstream.answer = () => {}
  const abort = new AbortController()
  const answer = client().chat.completions.create(ask, { signal: abort.signal })
  setTimeout(() => abort.abort(), 100)
  await expect(answer).rejects.toThrow(/abort/i)
  await world.upstream.seen[0]?.aborted
})

test('error class: AuthenticationError for a wrong key', async () => {
  const error: unknown = await client({ apiKey: 'sk-wrong-test' })
    .chat.completions.create(ask)
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' })
})

test('error class: BadRequestError names the parameter', async () => {
  const error: unknown = await client()
    .chat.completions.create({ ...ask, temperature: 7 })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({
    param: 'temperature',
    code: 'decimal_above_max_value',
    requestID: expect.stringMatching(/^req_/) as string,
  })
})

test('error class: NotFoundError for an unknown model names near ones', async () => {
  const error: unknown = await client()
    .chat.completions.create({ ...ask, model: 'smal' })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(NotFoundError)
  expect(error).toMatchObject({
    code: 'model_not_found',
    param: 'model',
    message: expect.stringContaining('small') as string,
  })
})

test('error class: RateLimitError keeps the retry time of the upstream', async () => {
  world.upstream.answer = json(429, { error: { message: 'no' } }, { 'retry-after': '3' })
  const error: unknown = await client()
    .chat.completions.create({ ...ask, model: 'small' })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(RateLimitError)
  expect((error as RateLimitError).headers?.get('retry-after')).toBe('3')
})

test('error class: InternalServerError for a broken upstream', async () => {
  world.upstream.answer = json(500, { error: { message: 'boom' } })
  const error: unknown = await client()
    .chat.completions.create({ ...ask, model: 'small' })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InternalServerError)
  expect(error).toMatchObject({ status: 502 })
})

test('error in the stream: the client throws instead of taking the end for success', async () => {
  world.upstream.answer = events(frame({ role: 'assistant', content: 'Hel' }), 'data: {"error":{"message":"boom"}}\n\n')
  const stream = await client().chat.completions.create({ ...ask, stream: true })
  const error: unknown = await Array.fromAsync(stream).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(APIError)
  expect((error as APIError).message).not.toContain('boom')
})

test('cut stream: the client throws instead of taking the end for success', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: 'Hel' }))
    setTimeout(() => response.destroy(), 20)
  }
  const stream = await client().chat.completions.create({ ...ask, stream: true })
  await expect(Array.fromAsync(stream)).rejects.toBeInstanceOf(APIError)
})

test('retries: what a retry cannot mend is sent once', async () => {
  world.upstream.answer = json(401, { error: { message: 'no' } })
  await client({ maxRetries: 2 })
    .chat.completions.create({ ...ask, model: 'small' })
    .catch(() => {})
  expect(world.upstream.seen).toHaveLength(1)
})

test('retries: a passing fault is retried by the client and mended', async () => {
  let calls = 0
  world.upstream.answer = (request, response) => {
    calls += 1
    return calls === 1 ? json(503, {})(request, response) : say('Hello')(request, response)
  }
  const completion = await client({ maxRetries: 1 }).chat.completions.create({ ...ask, model: 'small' })
  expect(completion.choices[0]?.message.content).toBe('Hello')
})

test('retries: an idempotency key is answered once and replayed at no cost', async () => {
  const options = { headers: { 'Idempotency-Key': 'conformance-1' } }
  await client().chat.completions.create(ask, options)
  const { data, response } = await client().chat.completions.create(ask, options).withResponse()
  expect(world.upstream.seen).toHaveLength(1)
  expect(data.choices[0]?.message.content).toBe('Hello there')
  expect(response.headers.get('x-cost-usd')).toBe('0')
})

test('choices: n=2 keeps both answers apart', async () => {
  world.upstream.answer = (request, response) =>
    json(200, {
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [0, 1].map((index) => ({
        index,
        message: { role: 'assistant', content: `answer ${index}` },
        finish_reason: 'stop',
      })),
      usage: { prompt_tokens: 5, completion_tokens: 14, total_tokens: 19 },
    })(request, response)
  const completion = await client().chat.completions.create({ ...ask, model: 'small', n: 2 })
  expect(completion.choices.map((choice) => choice.message.content)).toEqual(['answer 0', 'answer 1'])
})

test('logprobs: tokens and alternatives arrive', async () => {
  const token = {
    token: 'Hi',
    logprob: -0.1,
    bytes: [72, 105],
    top_logprobs: [{ token: 'Hi', logprob: -0.1, bytes: [72, 105] }],
  }
  world.upstream.answer = json(200, {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hi' },
        finish_reason: 'stop',
        logprobs: { content: [token], refusal: null },
      },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  })
  const completion = await client().chat.completions.create({ ...ask, model: 'small', logprobs: true, top_logprobs: 1 })
  expect(completion.choices[0]?.logprobs?.content?.[0]).toEqual(token)
})

test('models: list and one by name', async () => {
  const names = (await Array.fromAsync(client().models.list())).map((model) => model.id)
  expect(names).toEqual(expect.arrayContaining(['auto', 'small', 'big']))
  expect((await client().models.retrieve('small')).id).toBe('small')
})
