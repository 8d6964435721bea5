/** OpenAI chat in, Google out: a real service and a server that speaks as Google's documentation says. */
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fakeImage } from '../support/fake-image.ts'
import { gemini, response, USAGE } from '../support/fake-google.ts'
import { json, startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const TOOL = {
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
} as const
const HELLO = [{ role: 'user', content: 'Hi' }] as const

let upstream: FakeUpstream
let gateway: GatewayProcess & { stop(): Promise<void> }
let client: OpenAI

beforeAll(async () => {
  upstream = await startFakeUpstream(gemini(), { ownedByTest: false })
  gateway = await startGatewayProcess({
    ownedByTest: false,
    env: { TEST_KEY: 'AIza-test-not-a-key' },
    config: `
server: { bodyLimitBytes: 67108864 }
upstreams:
  google: { kind: google, baseUrl: "${upstream.url}", apiKey: env:TEST_KEY, retries: 0, breaker: off }
models:
  gemini: { upstream: google, model: gemini-3-flash-preview, tier: frontier, contextTokens: 1000000, price: { inputPerM: 0.5, cachedInputPerM: 0.05, outputPerM: 3 } }
  older: { upstream: google, model: gemini-2.5-flash, tier: frontier, contextTokens: 1000000, price: { inputPerM: 0.5, outputPerM: 3 } }
keys: [ { name: ci, key: sk-test, tenant: acme } ]
telemetry: { log: off }
`,
  })
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.seen.length = 0
})

function chat(body: object): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gemini', messages: HELLO, ...body }),
  })
}
interface Refusal {
  readonly error: { readonly code: string; readonly param: string | null; readonly message: string }
}
async function refusal(reply: Response): Promise<Refusal['error']> {
  return ((await reply.json()) as Refusal).error
}
const sent = (): Record<string, never> => JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as Record<string, never>

test.each([false, true])(
  'text arrives whole, priced with thoughts as output and cached input apart (stream: %s)',
  async (stream) => {
    upstream.answer = gemini(
      response([{ text: 'Hel' }], { usage: { promptTokenCount: 120, totalTokenCount: 120 } }),
      response([{ text: 'lo' }], { finish: 'STOP' }),
    )
    const reply = await chat({ stream, ...(stream ? { stream_options: { include_usage: true } } : {}) })
    const body = await reply.text()

    // 20 tokens at 500, 100 cached at 50, 37 at 3,000 nano-dollars.
    expect(body).toContain(`"cost_nano_usd":${20 * 500 + 100 * 50 + 37 * 3000}`)
    expect(body).toContain('"prompt_tokens":120,"completion_tokens":37')
    expect(body).toContain('"reasoning_tokens":30')
    expect(body).toContain('"finish_reason":"stop"')
    expect(body).toContain('gemini-3-flash-preview')
    if (stream) expect(body.endsWith('data: [DONE]\n\n')).toBe(true)
    else expect(JSON.parse(body)).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
    expect(upstream.seen[0]?.path).toBe(
      stream
        ? '/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse'
        : '/v1beta/models/gemini-3-flash-preview:generateContent',
    )
    expect(upstream.seen[0]?.headers['x-goog-api-key']).toBe('AIza-test-not-a-key')
    expect(upstream.seen[0]?.headers['authorization']).toBeUndefined()
  },
)

test("every parameter of OpenAI's arrives under Google's name", async () => {
  upstream.answer = gemini(response([{ text: '{}' }], { finish: 'STOP' }))
  await chat({
    temperature: 0.3,
    top_p: 0.9,
    top_k: 40,
    seed: 7,
    stop: ['END'],
    n: 2,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    max_tokens: 99,
    logprobs: true,
    top_logprobs: 3,
    reasoning_effort: 'low',
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object', properties: {} } } },
  })
  expect(sent()['generationConfig']).toEqual({
    temperature: 0.3,
    topP: 0.9,
    topK: 40,
    seed: 7,
    stopSequences: ['END'],
    candidateCount: 2,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    maxOutputTokens: 99,
    responseLogprobs: true,
    logprobs: 3,
    thinkingConfig: { includeThoughts: true, thinkingLevel: 'low' },
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'object', properties: {} },
  })
})

describe('tools', () => {
  const CALLS = [
    {
      functionCall: { id: 'fc-1', name: 'get_weather', args: { city: 'Paris' } },
      thoughtSignature: 'c2lnLW9mLXRoZS1jYWxs',
    },
    { functionCall: { name: 'get_weather', args: { city: 'Rom "é"' } } },
  ]

  test.each([false, true])(
    "parallel calls go through OpenAI's SDK and back with their signature (stream: %s)",
    async (stream) => {
      upstream.answer = gemini(
        response([{ text: 'I should look.', thought: true }]),
        response(CALLS, { finish: 'STOP' }),
      )
      const request = { model: 'gemini', messages: [...HELLO], tools: [TOOL] }
      const completion = stream
        ? await client.chat.completions.stream({ ...request, stream: true }).finalChatCompletion()
        : await client.chat.completions.create(request)
      const [choice] = completion.choices
      expect(choice?.finish_reason).toBe('tool_calls')
      const calls = choice?.message.tool_calls ?? []
      expect(calls.map((call) => call.type === 'function' && JSON.parse(call.function.arguments))).toEqual([
        { city: 'Paris' },
        { city: 'Rom "é"' },
      ])
      expect(new Set(calls.map((call) => call.id)).size).toBe(2)

      upstream.answer = gemini(response([{ text: 'Sunny.' }], { finish: 'STOP' }))
      const next = await client.chat.completions.create({
        ...request,
        messages: [
          ...HELLO,
          choice?.message as OpenAI.ChatCompletionMessage,
          { role: 'tool', tool_call_id: calls[0]?.id ?? '', content: '{"sky":"clear"}' },
          { role: 'tool', tool_call_id: calls[1]?.id ?? '', content: 'rain' },
        ],
      })
      expect(next.choices[0]?.message.content).toBe('Sunny.')
      const [, model, results] = sent()['contents'] as unknown as readonly {
        role: string
        parts: Record<string, Record<string, unknown>>[]
      }[]
      const spoken = model?.parts.filter((part) => part['functionCall'] !== undefined)
      expect(spoken).toEqual([
        {
          functionCall: { id: 'fc-1', name: 'get_weather', args: { city: 'Paris' } },
          thoughtSignature: 'c2lnLW9mLXRoZS1jYWxs',
        },
        { functionCall: { id: calls[1]?.id, name: 'get_weather', args: { city: 'Rom "é"' } } },
      ])
      // Both results stand in one turn, each with the name of its function.
      expect(results).toEqual({
        role: 'user',
        parts: [
          { functionResponse: { id: 'fc-1', name: 'get_weather', response: { output: '{"sky":"clear"}' } } },
          { functionResponse: { id: calls[1]?.id, name: 'get_weather', response: { output: 'rain' } } },
        ],
      })
    },
  )

  test('arguments that are no object are refused with their place, and reach nobody', async () => {
    const reply = await chat({
      messages: [
        ...HELLO,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'get_weather', arguments: '{"city": "Pa' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'x' },
      ],
    })
    expect(reply.status).toBe(400)
    expect(await refusal(reply)).toMatchObject({
      code: 'unsupported_value',
      param: 'messages[1].tool_calls[0].function.arguments',
    })
    expect(upstream.seen).toHaveLength(0)
  })

  test('128 tools and a chosen one', async () => {
    upstream.answer = gemini(response(CALLS, { finish: 'STOP' }))
    const tools = Array.from({ length: 128 }, (_, at) => ({
      type: 'function',
      function: { name: `tool_${at}`, parameters: { type: 'object', properties: {} } },
    }))
    await chat({ tools, tool_choice: { type: 'function', function: { name: 'tool_7' } } })
    expect(sent()['toolConfig']).toEqual({ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['tool_7'] } })
    expect((sent()['tools'] as unknown as { functionDeclarations: unknown[] }[])[0]?.functionDeclarations).toHaveLength(
      128,
    )
  })
})

test.each([false, true])(
  'thoughts are reasoning, and the signature of a text comes back with it (stream: %s)',
  async (stream) => {
    upstream.answer = gemini(
      response([{ text: 'Let me think.', thought: true }]),
      response([{ text: 'Yes.' }]),
      response([{ text: '', thoughtSignature: 'dGV4dC1zaWc=' }], { finish: 'STOP' }),
    )
    const request = { model: 'gemini', messages: [...HELLO], reasoning_effort: 'high' as const }
    const completion = stream
      ? await client.chat.completions.stream({ ...request, stream: true }).finalChatCompletion()
      : await client.chat.completions.create(request)
    const message = completion.choices[0]?.message
    expect(message).toMatchObject({ content: 'Yes.', extra_content: { google: { thought_signature: 'dGV4dC1zaWc=' } } })
    await client.chat.completions.create({
      ...request,
      messages: [...HELLO, message as OpenAI.ChatCompletionMessage, { role: 'user', content: 'Sure?' }],
    })
    expect((sent()['contents'] as unknown as { parts: unknown[] }[])[1]?.parts).toContainEqual({
      text: 'Yes.',
      thoughtSignature: 'dGV4dC1zaWc=',
    })
  },
)

describe('pictures', () => {
  test('20 MB as data arrive byte for byte', async () => {
    upstream.answer = gemini(response([{ text: 'A picture.' }], { finish: 'STOP' }))
    const url = fakeImage(20_000_000)
    const reply = await chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    })
    expect(reply.status).toBe(200)
    const [{ parts }] = sent()['contents'] as unknown as [
      { parts: { inlineData?: { data: string; mimeType: string } }[] },
    ]
    expect(parts[1]?.inlineData?.mimeType).toBe('image/png')
    expect(parts[1]?.inlineData?.data === url.slice(url.indexOf(',') + 1)).toBe(true)
  })

  test('an address of a host that nobody has allowed is refused, and not fetched', async () => {
    const reply = await chat({
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }],
    })
    expect(reply.status).toBe(400)
    expect(await refusal(reply)).toMatchObject({
      code: 'unsupported_parameter',
      param: 'messages[0].content[0].image_url.url',
      message: expect.stringContaining('upstreams.X.fetchImages'),
    })
  })
})

test.each([
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
])('%s ends as %s', async (finish, reason) => {
  upstream.answer = gemini(response([{ text: 'a' }], { finish }))
  expect(await (await chat({})).json()).toMatchObject({ choices: [{ finish_reason: reason }] })
})

test.each([false, true])(
  'a blocked prompt is a refusal under a policy, and its tokens are on the bill (stream: %s)',
  async (stream) => {
    upstream.answer = gemini({
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { promptTokenCount: 1000, totalTokenCount: 1000 },
    })
    const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json' }
    const task = `blocked-${stream}`
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...headers, 'x-task-id': task },
      body: JSON.stringify({ model: 'gemini', messages: HELLO, stream, max_tokens: 5 }),
    })
    expect(reply.status).toBe(400)
    expect(await refusal(reply)).toMatchObject({ code: 'content_policy_violation', param: 'messages' })
    const page = (await (await fetch(`${gateway.url}/v1/tasks/${task}`, { headers })).json()) as Record<string, unknown>
    expect(page).toMatchObject({ spent: { nano_usd: 500_000 }, unresolved_nano_usd: 0, held_nano_usd: 0 })
  },
)

describe('faults', () => {
  test('429 keeps the retry time of its body', async () => {
    upstream.answer = json(429, {
      error: {
        code: 429,
        message: 'Quota exceeded for project 12345.',
        status: 'RESOURCE_EXHAUSTED',
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37s' }],
      },
    })
    const reply = await chat({})
    expect(reply.status).toBe(429)
    expect(reply.headers.get('retry-after')).toBe('37')
    expect(await reply.text()).not.toContain('12345')
  })

  test.each([
    [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', 502, 'upstream_auth'],
    [
      400,
      'INVALID_ARGUMENT',
      'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).',
      400,
      'context_length_exceeded',
    ],
    [400, 'INVALID_ARGUMENT', 'Invalid JSON payload received.', 400, 'upstream_refused_request'],
    [403, 'PERMISSION_DENIED', 'Denied.', 502, 'upstream_auth'],
    [404, 'NOT_FOUND', 'models/x is not found', 502, 'upstream_model_missing'],
    [500, 'INTERNAL', 'An internal error has occurred.', 502, 'upstream_error'],
    [503, 'UNAVAILABLE', 'The model is overloaded.', 503, 'upstream_overloaded'],
    [504, 'DEADLINE_EXCEEDED', 'Too slow.', 504, 'upstream_timeout'],
  ])('%i %s "%s" becomes %i %s', async (status, word, message, becomes, code) => {
    upstream.answer = json(status, [{ error: { code: status, message, status: word } }])
    const reply = await chat({})
    expect(reply.status).toBe(becomes)
    expect(await refusal(reply)).toMatchObject({ code })
  })

  test('an error in the middle of a stream is an error frame, and no [DONE] follows', async () => {
    upstream.answer = gemini(response([{ text: 'Half' }]), {
      error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' },
    })
    const body = await (await chat({ stream: true })).text()
    expect(body).toContain('"content":"Half"')
    expect(body).toContain('"code":"upstream_overloaded"')
    expect(body).not.toContain('[DONE]')
  })

  test('a stream that ends without a finishReason was cut', async () => {
    upstream.answer = gemini(response([{ text: 'Half' }]))
    const body = await (await chat({ stream: true })).text()
    expect(body).toContain('"code":"upstream_stream_truncated"')
    expect(body).not.toContain('[DONE]')
  })

  test('a malformed call and a picture instead of an answer are errors', async () => {
    upstream.answer = gemini(response([], { finish: 'MALFORMED_FUNCTION_CALL' }))
    expect((await chat({})).status).toBe(502)
    upstream.answer = gemini(response([{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }], { finish: 'STOP' }))
    const reply = await chat({})
    expect(reply.status).toBe(400)
    expect(await refusal(reply)).toMatchObject({ code: 'unsupported_value' })
  })
})

test('log-probabilities and several candidates', async () => {
  const candidate = (index: number, text: string): object => ({
    index,
    content: { parts: [{ text }] },
    finishReason: 'STOP',
    logprobsResult: {
      chosenCandidates: [{ token: text, tokenId: 1, logProbability: -0.5 }],
      topCandidates: [
        {
          candidates: [
            { token: text, logProbability: -0.5 },
            { token: 'é', logProbability: -1.5 },
          ],
        },
      ],
    },
  })
  upstream.answer = gemini({ candidates: [candidate(0, 'a'), candidate(1, 'b')], usageMetadata: USAGE })
  expect(await (await chat({ n: 2, logprobs: true, top_logprobs: 2 })).json()).toMatchObject({
    choices: [
      {
        message: { content: 'a' },
        logprobs: {
          content: [
            {
              token: 'a',
              logprob: -0.5,
              bytes: [97],
              top_logprobs: [{ token: 'a' }, { token: 'é', bytes: [195, 169] }],
            },
          ],
        },
      },
      { message: { content: 'b' } },
    ],
  })
})

test.each<[string, object]>([
  ['logit_bias', { logit_bias: { '1': 1 } }],
  ['web_search_options', { web_search_options: {} }],
  ['n', { n: 9 }],
  ['parallel_tool_calls', { parallel_tool_calls: false, tools: [TOOL] }],
  ['response_format', { model: 'older', tools: [TOOL], response_format: { type: 'json_object' } }],
])('%s is refused by name', async (param, body) => {
  const reply = await chat(body)
  expect(reply.status).toBe(400)
  expect(await refusal(reply)).toMatchObject({ param })
  expect(upstream.seen).toHaveLength(0)
})

test('what is left out is named', async () => {
  upstream.answer = gemini(response([{ text: 'a' }], { finish: 'STOP' }))
  const reply = await chat({
    user: 'u',
    min_p: 0.1,
    reasoning_effort: 'none',
    messages: [{ role: 'user', name: 'n', content: 'Hi' }],
  })
  expect(reply.headers.get('x-switchyard-dropped')?.split(', ').toSorted()).toEqual(
    ['messages.name', 'min_p', 'reasoning_effort', 'user'].toSorted(),
  )
})
