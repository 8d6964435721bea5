/** OpenAI chat in, Anthropic out, through the real service, with OpenAI's own SDK as the client. */
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { eventsOf, messageOf, sse, type AnswerName } from '../../support/anthropic-answers.ts'
import { json, startFakeUpstream, wantsStream, type Answer, type FakeUpstream } from '../../support/fake-upstream.ts'
import { startGatewayProcess } from '../../support/gateway-process.ts'

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const KEY = 'sk-ant-fake-never-shown'

/** Answers as Anthropic does, streamed or whole, as asked. */
function give(name: AnswerName): Answer {
  return (request, response) => {
    if (!wantsStream(request)) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(messageOf(name))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end(sse(eventsOf(name)))
  }
}

function streamed(events: readonly Record<string, unknown>[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(sse(events))
  }
}

async function start(
  answer: Answer,
  ask = 'auto',
): Promise<{ client: OpenAI; upstream: FakeUpstream; output: () => string; url: string }> {
  const upstream = await startFakeUpstream(answer)
  const gateway = await startGatewayProcess({
    env: { TEST_ANTHROPIC_KEY: KEY },
    config: `
upstreams:
  claude: { kind: anthropic, baseUrl: "${upstream.url}", apiKey: env:TEST_ANTHROPIC_KEY, retries: 0, breaker: off, ask: ${ask} }
models:
  claude:
    upstream: claude
    model: claude-sonnet-4-5
    tier: frontier
    contextTokens: 200000
    price: { inputPerM: 3, outputPerM: 15, cachedInputPerM: 0.3, cacheWritePerM: 3.75, cacheWrite1hPerM: 6 }
keys: [ { name: ci, key: sk-test } ]
`,
  })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
  return { client, upstream, output: () => gateway.output(), url: gateway.url }
}

const ask = { model: 'claude', messages: [{ role: 'user' as const, content: 'Hi' }] }
/** Tokens of the fixture `text`: 25 plain, 1000 read, 200 written for five minutes, 100 for an hour, 15 generated. */
const TEXT_COST_NANO = 25 * 3000 + 1000 * 300 + 200 * 3750 + 100 * 6000 + 15 * 15_000

describe.each(['auto', 'as-asked'])('ask: %s', (how) => {
  test('text and its cost to the nano-dollar, whole and streamed', async () => {
    const { client, upstream, output } = await start(give('text'), how)
    const whole = await client.chat.completions.create(ask)
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Grüße, Welt 🌍!' } })
    expect(whole.usage).toMatchObject({
      prompt_tokens: 1325,
      completion_tokens: 15,
      prompt_tokens_details: { cached_tokens: 1000 },
      cost_nano_usd: TEXT_COST_NANO,
    })
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let cost: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.usage) cost = (chunk.usage as unknown as { cost_nano_usd: number }).cost_nano_usd
    }
    expect([text, cost]).toEqual(['Grüße, Welt 🌍!', TEXT_COST_NANO])
    const [first] = upstream.seen
    expect(first?.path).toBe('/v1/messages')
    expect(first?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' })
    expect(first?.headers).not.toHaveProperty('authorization')
    expect(wantsStream(first as never)).toBe(how === 'auto')
    expect(output()).not.toContain(KEY)
  })

  test('thinking and parallel tools, and their results with a picture back', async () => {
    const { client, upstream } = await start(give('thinking-tools'), how)
    const tools = ['get_weather', 'get_time'].map((name) => ({
      type: 'function' as const,
      function: { name, parameters: { type: 'object', properties: {} } },
    }))
    const { choices } = await client.chat.completions.create({ ...ask, tools, reasoning_effort: 'low' })
    const [choice] = choices
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: 'I look.', reasoning_content: 'Two cities, two calls.' },
    })
    expect(
      choice?.message.tool_calls?.map((call) => [call.id, 'function' in call && JSON.parse(call.function.arguments)]),
    ).toEqual([
      ['toolu_01', { city: 'São Paulo' }],
      ['toolu_02', {}],
    ])
    expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 2048 },
      tools: [{ name: 'get_weather' }, { name: 'get_time' }],
    })
    const signed = (JSON.parse(messageOf('thinking-tools')) as { content: { type: string }[] }).content.filter(
      ({ type }) => type.includes('thinking'),
    )
    expect(signed.length).toBeGreaterThan(0)
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }
    const { response } = await client.chat.completions
      .create({
        ...ask,
        tools,
        messages: [
          ...ask.messages,
          choice?.message as OpenAI.ChatCompletionMessage,
          { role: 'tool', tool_call_id: 'toolu_01', content: '21' },
          { role: 'tool', tool_call_id: 'toolu_02', content: 'noon' },
          { role: 'user', content: [{ type: 'text', text: 'And this?' }, picture as never] },
        ],
      })
      .withResponse()
    expect(response.headers.get('x-switchyard-dropped')).toBeNull()
    expect((JSON.parse(upstream.seen[1]?.body ?? '') as { messages: unknown[] }).messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: [
          ...signed,
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'toolu_01', name: 'get_weather', input: { city: 'São Paulo' } },
          { type: 'tool_use', id: 'toolu_02', name: 'get_time', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_01', content: [{ type: 'text', text: '21' }] },
          { type: 'tool_result', tool_use_id: 'toolu_02', content: [{ type: 'text', text: 'noon' }] },
          { type: 'text', text: 'And this?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
        ],
      },
    ])
  })
})

test.each([
  ['max_tokens', 'length'],
  ['refusal', 'content_filter'],
])('the stop reason %s is shown as %s', async (reason, finish) => {
  const events = eventsOf('text').map((event) =>
    event['type'] === 'message_delta' ? { ...event, delta: { stop_reason: reason, stop_sequence: null } } : event,
  )
  const { client } = await start(streamed(events))
  expect((await client.chat.completions.create(ask)).choices[0]?.finish_reason).toBe(finish)
})

test('a schema goes out as a structured output', async () => {
  const { client, upstream } = await start(give('text'))
  const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
  await client.chat.completions.create({
    ...ask,
    response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
  })
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({
    output_config: { format: { type: 'json_schema', schema: { ...schema, additionalProperties: false } } },
  })
})

test('what Anthropic cannot say is refused by name, nothing is sent, and nothing is held', async () => {
  const { client, upstream, url } = await start(give('text'))
  await expect(
    client.chat.completions.create({ ...ask, n: 2 }, { headers: { 'x-task-id': 't' } }),
  ).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'n',
  })
  expect(upstream.seen).toHaveLength(0)
  const task = await fetch(`${url}/v1/tasks/t`, { headers: { authorization: 'Bearer sk-test' } })
  expect(await task.json()).toMatchObject({ held_nano_usd: 0, unresolved_nano_usd: 0, spent: { nano_usd: 0 } })
})

test.each([
  ['as a status', json(529, { type: 'error', error: { type: 'overloaded_error', message: `secret ${KEY}` } })],
  ['as the first event', streamed([{ type: 'error', error: { type: 'overloaded_error', message: `secret ${KEY}` } }])],
])('an overload before the answer, %s, is a 503 without its words', async (_how, answer) => {
  const { client, output } = await start(answer)
  const failed = await client.chat.completions
    .create({ ...ask, stream: true })
    .catch((error: unknown) => error as Error)
  expect(failed).toMatchObject({ status: 503, code: 'upstream_overloaded' })
  expect(JSON.stringify(failed)).not.toContain('secret')
  expect(output()).not.toContain(KEY)
})

test.each([
  ['an error event', [{ type: 'error', error: { type: 'overloaded_error', message: 'secret' } }]],
  ['the end before message_stop', eventsOf('text').slice(5, -1)],
])('%s in the middle cuts the stream with an error and without [DONE]', async (_what, rest) => {
  const { url } = await start(streamed([...eventsOf('text').slice(0, 4), ...rest]))
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
    body: JSON.stringify({ ...ask, stream: true }),
  })
  const text = await response.text()
  expect(text).toContain('Grüße')
  expect(text).toContain('"error"')
  expect(text).not.toContain('secret')
  expect(text).not.toContain('[DONE]')
})
