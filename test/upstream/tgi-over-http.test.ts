/** OpenAI chat in, text-generation-inference out: its chat route and its native one, in the shapes of router 3.3. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fakeImage } from '../support/fake-image.ts'
import { json, startFakeUpstream, type Answer, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const HELLO = [{ role: 'user', content: 'Hi' }]
const TOOLS = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
]

let upstream: FakeUpstream
let gateway: GatewayProcess & { stop(): Promise<void> }

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    ownedByTest: false,
    config: `
upstreams:
  tgi: { kind: tgi, replicas: ["${upstream.url}"], retries: 0, breaker: off }
models:
  chat: { upstream: tgi, model: served, contextTokens: 8192, capabilities: [tools, json_schema, logprobs, images], price: { inputPerM: 1, outputPerM: 2 } }
  plain: { upstream: tgi, model: served, api: generate, contextTokens: 8192, price: { inputPerM: 1, outputPerM: 2 } }
keys: [ { name: ci, key: sk-test } ]
telemetry: { log: off }
`,
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.seen.length = 0
})

const chunk = (delta: object, finish: string | null = null): object => ({
  object: 'chat.completion.chunk',
  id: '',
  created: 1_726_656_043,
  model: 'served',
  system_fingerprint: '3.3.4-sha',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  usage: null,
})
const usage = {
  object: 'chat.completion.chunk',
  id: '',
  created: 1,
  model: 'served',
  system_fingerprint: 'f',
  choices: [],
  usage: { prompt_tokens: 30, completion_tokens: 4, total_tokens: 34 },
}
/** These frames and, unless the last is an error, `[DONE]`. */
function frames(...list: readonly object[]): Answer {
  return (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const each of list) reply.write(`data:${JSON.stringify(each)}\n\n`)
    reply.end(list.some((each) => 'error' in each || 'token' in each) ? '' : 'data: [DONE]\n\n')
  }
}

function chat(body: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: HELLO, ...body }),
  })
}
const sent = (): Record<string, unknown> => JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as Record<string, unknown>
async function refusal(reply: Response): Promise<Record<string, unknown>> {
  return ((await reply.json()) as { error: Record<string, unknown> }).error
}

describe('the chat route', () => {
  test.each([false, true])('text arrives whole with one id and its cost (stream: %s)', async (stream) => {
    upstream.answer = frames(
      chunk({ role: 'assistant', content: 'Hel' }),
      chunk({ role: 'assistant', content: 'lo' }),
      chunk({ role: 'assistant', content: '' }, 'stop'),
      usage,
    )
    const reply = await chat({ stream, ...(stream ? { stream_options: { include_usage: true } } : {}) })
    const text = await reply.text()
    expect(text).toContain(`"cost_nano_usd":${30 * 1000 + 4 * 2000}`)
    if (stream) {
      const ids = new Set([...text.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id))
      expect(ids.size).toBe(1)
      expect([...ids][0]).not.toBe('')
    } else
      expect(JSON.parse(text)).toMatchObject({
        model: 'served',
        choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      })
    expect(upstream.seen[0]?.path).toBe('/v1/chat/completions')
    // Without a cap of the caller's one is sent all the same.
    expect(sent()['max_tokens']).toBeGreaterThan(100)
    expect(sent()['stream']).toBe(true)
  })

  test.each([false, true])(
    'a call in pieces, all named "0" and never finished, is one call with an id of its own (stream: %s)',
    async (stream) => {
      const call = (args: string, name?: string): object =>
        chunk({
          role: 'assistant',
          tool_calls: [{ index: 0, id: '0', type: 'function', function: { name: name ?? null, arguments: args } }],
        })
      upstream.answer = frames(call('{', 'get_weather'), call('"city": "Par'), call('is"}'), usage)
      const text = await (await chat({ tools: TOOLS, stream })).text()
      expect(text).toContain('"finish_reason":"tool_calls"')
      expect(text).not.toContain('"id":"0"')
      const args = stream
        ? [...text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)]
            .map(([, each = '""']) => JSON.parse(each) as string)
            .join('')
        : (JSON.parse(text) as { choices: [{ message: { tool_calls: [{ function: { arguments: string } }] } }] })
            .choices[0].message.tool_calls[0].function.arguments
      expect(JSON.parse(args)).toEqual({ city: 'Paris' })
    },
  )

  test('a call that comes as an object instead of a list is not lost', async () => {
    upstream.answer = frames(
      chunk({
        role: 'assistant',
        tool_calls: { index: 0, id: '', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
      }),
      chunk({ role: 'assistant', content: '' }, 'eos_token'),
    )
    expect(await (await chat({ tools: TOOLS })).json()).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'get_weather' } }] } }],
    })
  })

  test('text and calls of one turn become two messages, since TGI would lose the calls', async () => {
    upstream.answer = frames(chunk({ role: 'assistant', content: 'ok' }, 'stop'))
    await chat({
      tools: TOOLS,
      messages: [
        ...HELLO,
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'sun' },
      ],
    })
    expect(sent()['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'I look.' },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'sun' },
    ])
  })

  test('parameters arrive in the ranges that TGI accepts, pictures too', async () => {
    upstream.answer = frames(chunk({ role: 'assistant', content: '{}' }, 'length'))
    const url = fakeImage(1000)
    const reply = await chat({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
      temperature: 0,
      top_p: 1,
      seed: -1,
      presence_penalty: 0,
      max_completion_tokens: 9,
      logprobs: true,
      top_logprobs: 5,
      stop: 'END',
      user: 'u',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', properties: {} } } },
    })
    expect(sent()).toEqual({
      model: 'served',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
      max_tokens: 9,
      temperature: 0,
      seed: Number.MAX_SAFE_INTEGER,
      stop: ['END'],
      logprobs: true,
      top_logprobs: 5,
      response_format: { type: 'json', value: { type: 'object', properties: {} } },
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(reply.headers.get('x-switchyard-dropped')).toBe('user')
    expect(await reply.json()).toMatchObject({ choices: [{ finish_reason: 'length' }] })
  })

  test.each<[string, object]>([
    ['n', { n: 2 }],
    ['logit_bias', { logit_bias: { '1': 1 } }],
    ['presence_penalty', { presence_penalty: 0.5 }],
    ['top_logprobs', { logprobs: true, top_logprobs: 6 }],
  ])('%s is refused by name', async (param, body) => {
    const reply = await chat(body)
    expect(reply.status).toBe(400)
    expect(await refusal(reply)).toMatchObject({ code: 'unsupported_parameter', param })
    expect(upstream.seen).toHaveLength(0)
  })
})

describe('the native route', () => {
  const token = (text: string, more: object = {}): object => ({
    index: 1,
    token: { id: 5, text, logprob: -0.5, special: false },
    top_tokens: [{ id: 5, text, logprob: -0.5, special: false }],
    generated_text: null,
    details: null,
    ...more,
  })
  const end = (reason: string): object => ({
    token: { id: 2, text: '</s>', logprob: 0, special: true },
    generated_text: 'Hello',
    details: { finish_reason: reason, generated_tokens: 3, input_length: 11, seed: null },
  })

  test.each([false, true])('the prompt is the text, the answer what was generated (stream: %s)', async (stream) => {
    upstream.answer = frames(token('Hel'), token('lo', {}), token('', end('eos_token')))
    const text = await (
      await chat({
        model: 'plain',
        stream,
        max_tokens: 50,
        temperature: 0.7,
        top_k: 5,
        ...(stream ? { stream_options: { include_usage: true } } : {}),
      })
    ).text()
    expect(text).toContain('"prompt_tokens":11,"completion_tokens":3')
    expect(text).toContain(`"cost_nano_usd":${11 * 1000 + 3 * 2000}`)
    expect(text).toContain('"finish_reason":"stop"')
    if (!stream) expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
    expect(upstream.seen[0]?.path).toBe('/generate_stream')
    expect(sent()).toEqual({
      inputs: 'Hi',
      parameters: {
        max_new_tokens: 50,
        details: true,
        return_full_text: false,
        temperature: 0.7,
        do_sample: true,
        top_k: 5,
      },
    })
  })

  test('the stop sequence that TGI leaves in the text is taken out, and what only looks like one stays', async () => {
    upstream.answer = frames(
      token('a EN'),
      token('d b E'),
      token('ND', { ...end('stop_sequence'), token: { id: 6, text: 'ND', logprob: -0.5, special: false } }),
    )
    const body = await (await chat({ model: 'plain', stop: ['END'], logprobs: true })).json()
    expect(body).toMatchObject({ choices: [{ message: { content: 'a ENd b ' }, finish_reason: 'stop' }] })
    expect(sent()['parameters']).toMatchObject({ stop: ['END'] })
  })

  test('tools are refused: the model has no template for them', async () => {
    const reply = await chat({ model: 'plain', tools: TOOLS })
    expect(reply.status).toBe(400)
    expect(upstream.seen).toHaveLength(0)
  })

  test('a stream that ends without details was cut', async () => {
    upstream.answer = frames(token('Hel'))
    const text = await (await chat({ model: 'plain', stream: true })).text()
    expect(text).toContain('upstream_stream_truncated')
    expect(text).not.toContain('[DONE]')
  })
})

describe.each(['chat', 'plain'])('errors of model %s', (model) => {
  test.each([
    [429, 'overloaded', 'Model is overloaded', 429, 'upstream_rate_limited'],
    [
      422,
      'validation',
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`',
      400,
      'context_length_exceeded',
    ],
    [
      422,
      'validation',
      'Input validation error: `temperature` must be strictly positive',
      400,
      'upstream_refused_request',
    ],
    [424, 'generation', 'Request failed during generation: CUDA error', 502, 'upstream_error'],
    [500, 'incomplete_generation', 'Incomplete generation', 502, 'upstream_error'],
    [503, 'unhealthy', 'Model not ready', 503, 'upstream_overloaded'],
  ])('%i %s "%s" becomes %i %s', async (status, error_type, error, becomes, code) => {
    upstream.answer = json(status, { error, error_type })
    const reply = await chat({ model })
    expect(reply.status).toBe(becomes)
    expect(await refusal(reply)).toMatchObject({ code })
  })

  test('in the middle of a stream it is an error frame without [DONE]', async () => {
    const first =
      model === 'chat'
        ? chunk({ role: 'assistant', content: 'Half' })
        : { token: { id: 1, text: 'Half', logprob: 0, special: false }, generated_text: null, details: null }
    upstream.answer = frames(first, { error: 'Request failed during generation: CUDA error', error_type: 'generation' })
    const text = await (await chat({ model, stream: true })).text()
    expect(text).toContain('"content":"Half"')
    expect(text).toContain('"code":"upstream_error"')
    expect(text).not.toContain('[DONE]')
    expect(text).not.toContain('CUDA')
  })
})
