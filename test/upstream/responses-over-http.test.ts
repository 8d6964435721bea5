/** Chat, Messages and Responses in, OpenAI's Responses API out: what is sent, what comes back, and what it costs. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { json, startFakeUpstream, wantsStream, type Answer, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'
import { CALLS, eventsOf, MESSAGE, REASONING, REFUSAL, response, sse } from '../support/responses-answers.ts'

const HELLO = [{ role: 'user', content: 'Hi' }]
/** 30 plain and 10 cached tokens of input at 1,000 nano-dollars each, 30 of output at 2,000. */
const COST = 40 * 1000 + 30 * 2000

let upstream: FakeUpstream
let gateway: GatewayProcess & { stop(): Promise<void> }

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    ownedByTest: false,
    config: `
upstreams:
  open: { kind: openai, replicas: ["${upstream.url}/v1"], retries: 0, breaker: off }
models:
  codex: { upstream: open, model: gpt-5-codex, api: responses, contextTokens: 8192, price: { inputPerM: 1, outputPerM: 2 } }
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

function answer(whole: ReturnType<typeof response>): Answer {
  return (request, reply) => {
    if (!wantsStream(request)) return json(200, whole)(request, reply)
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.end(sse(eventsOf(whole)))
  }
}
function post(path: string, body: object): Promise<Response> {
  return fetch(`${gateway.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'codex', ...body }),
  })
}
const sent = (): Record<string, unknown> => JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as Record<string, unknown>

test.each([false, true])('chat: text arrives with its cost (stream: %s)', async (stream) => {
  upstream.answer = answer(response([MESSAGE]))
  const reply = await post('/chat/completions', {
    messages: HELLO,
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  })
  const text = await reply.text()
  expect(text).toContain(`"cost_nano_usd":${COST}`)
  expect(text).toContain('"finish_reason":"stop"')
  if (stream) {
    const said = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')
    expect(said).toBe('Grüße 🏳️‍🌈 from Paris')
  } else expect(text).toContain('Grüße 🏳️‍🌈 from Paris')
  expect(upstream.seen[0]?.path).toBe('/v1/responses')
  expect(sent()).toMatchObject({ model: 'gpt-5-codex', store: false, input: HELLO })
})

test.each([false, true])('chat: calls at the same time keep their ids (stream: %s)', async (stream) => {
  upstream.answer = answer(response([REASONING, ...CALLS]))
  const reply = await post('/chat/completions', {
    messages: HELLO,
    stream,
    tools: [
      { type: 'function', function: { name: 'weather' } },
      { type: 'custom', custom: { name: 'shell' } },
    ],
  })
  const text = await reply.text()
  expect(text).toContain('"id":"call_a"')
  expect(text).toContain('"id":"call_b"')
  expect(text).toContain('"finish_reason":"tool_calls"')
})

test.each([
  ['a refusal', response([REFUSAL]), { refusal: 'I cannot do that.' }, 'stop'],
  [
    'a cap',
    response([MESSAGE], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
    { content: 'Grüße 🏳️‍🌈 from Paris' },
    'length',
  ],
])('chat: %s is told as such', async (_, whole, message, reason) => {
  upstream.answer = answer(whole)
  const body = (await (await post('/chat/completions', { messages: HELLO })).json()) as { choices: unknown[] }
  expect(body.choices[0]).toMatchObject({ message, finish_reason: reason })
})

test.each([false, true])('responses: reasoning goes over turns with its id and seal (stream: %s)', async (stream) => {
  upstream.answer = answer(response([REASONING, ...CALLS.slice(0, 1)]))
  const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object' } }]
  const first = await post('/responses', { input: 'Hi', store: false, tools, stream })
  const text = await first.text()
  const body = (
    stream
      ? (
          JSON.parse(/"type":"response\.completed".*/.exec(text)?.[0].replace(/^/, '{') ?? '{}') as {
            response: unknown
          }
        ).response
      : JSON.parse(text)
  ) as { output: readonly Record<string, unknown>[] }
  const [reasoning, call] = body.output
  expect(reasoning).toMatchObject({ id: 'rs_1', encrypted_content: 'gAAAAAB-secret==' })
  upstream.answer = answer(response([MESSAGE]))
  const input = [
    { role: 'user', content: 'Hi' },
    ...body.output,
    { type: 'function_call_output', call_id: call?.['call_id'], output: '20 degrees' },
  ]
  const second = await post('/responses', { input, store: false, tools })
  expect(second.status).toBe(200)
  const items = sent()['input'] as readonly Record<string, unknown>[]
  expect(items.map((item) => item['type'] ?? item['role'])).toEqual([
    'user',
    'reasoning',
    'function_call',
    'function_call_output',
  ])
  expect(items[1]).toMatchObject({ id: 'rs_1', encrypted_content: 'gAAAAAB-secret==' })
})

test.each([false, true])("messages: reasoning comes as OpenAI's and goes back to it (stream: %s)", async (stream) => {
  upstream.answer = answer(response([REASONING, MESSAGE]))
  const thinking = { type: 'enabled', budget_tokens: 1024 }
  const first = await post('/messages', { max_tokens: 4000, messages: HELLO, thinking, stream })
  const text = await first.text()
  const signature = /"signature":"(openai#[^"]*)"/.exec(text)?.[1]
  expect(signature).toContain('gAAAAAB-secret==')
  upstream.answer = answer(response([MESSAGE]))
  const turn = {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Look.', signature },
      { type: 'text', text: 'So' },
    ],
  }
  await post('/messages', { max_tokens: 4000, thinking, messages: [...HELLO, turn, { role: 'user', content: 'On' }] })
  expect((sent()['input'] as readonly unknown[])[1]).toMatchObject({
    type: 'reasoning',
    summary: [{ type: 'summary_text', text: 'Look.' }],
    encrypted_content: 'gAAAAAB-secret==',
  })
})

test('structured output and the cap are asked for in the words of the API', async () => {
  upstream.answer = answer(response([MESSAGE]))
  const schema = { type: 'object', properties: { a: { type: 'string' } } }
  await post('/chat/completions', {
    messages: HELLO,
    max_completion_tokens: 64,
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
  })
  expect(sent()).toMatchObject({
    max_output_tokens: 64,
    text: { format: { type: 'json_schema', name: 'n', schema, strict: true } },
  })
})

test('an error before the answer and one within it are errors to the caller', async () => {
  upstream.answer = json(429, { error: { message: 'Slow down sk-secret-123456', code: 'rate_limit_exceeded' } })
  const before = await post('/chat/completions', { messages: HELLO })
  expect(before.status).toBe(429)
  expect(await before.text()).not.toContain('sk-secret')
  const failed = response([MESSAGE], { status: 'failed', error: { code: 'server_error', message: 'm' } })
  upstream.answer = answer(failed)
  const within = await (await post('/chat/completions', { messages: HELLO, stream: true })).text()
  expect(within).toContain('"error"')
  expect(within).not.toContain('"finish_reason":"stop"')
  upstream.answer = (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.end(sse(eventsOf(response([MESSAGE])).slice(0, -1)))
  }
  const cut = await (await post('/chat/completions', { messages: HELLO, stream: true })).text()
  expect(cut).toContain('"error"')
  expect(cut).not.toContain('"finish_reason":"stop"')
})

test('what the API cannot be told is refused by name and never sent', async () => {
  const reply = await post('/chat/completions', { messages: HELLO, stop: ['x'] })
  expect(reply.status).toBe(400)
  expect(await reply.json()).toMatchObject({ error: { code: 'unsupported_parameter', param: 'stop' } })
  expect(upstream.seen).toEqual([])
})
