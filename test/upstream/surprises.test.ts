/**
 * What real engines do that a gateway has to survive, by the numbers of the recordings' list, where the whole process has to show it.
 * (1, 3, 6, 8, 9, 10, 14, 16, 20 and 21 are the decoder's: recorded-answers.unit.test.ts.)
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { frame, json, say, wantsStream, DONE_FRAME, USAGE_FRAME } from '../support/fake-upstream.ts'
import { configFor } from '../support/gateway-process.ts'
import { sharedWorld } from '../support/shared-world.ts'

const world = sharedWorld((url) => configFor({ small: url }))

function ask(body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${world.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }], ...body }),
  })
}
const sent = (): Record<string, unknown> => JSON.parse(world.upstream.seen[0]?.body ?? '{}') as Record<string, unknown>
const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code

test('2: the output cap goes out as max_tokens, the one name that every engine obeys, and a cap of 0 never does', async () => {
  await ask({ max_completion_tokens: 5 })
  expect(sent()).toMatchObject({ max_tokens: 5 })
  expect(sent()).not.toHaveProperty('max_completion_tokens')
  expect(await codeOf(await ask({ max_tokens: 0 }))).toBe('integer_below_min_value')
})

test('5: a head is no success: a failure after it and before the first event is still retried elsewhere', async () => {
  let calls = 0
  world.upstream.answer = (request, response) => {
    calls += 1
    if (calls > 1) return say('Hello')(request, response)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    setTimeout(() => response.destroy(), 30)
  }
  const response = await ask({ model: 'auto', stream: true })
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('Hello')
  expect(Number(response.headers.get('x-attempts'))).toBe(2)
})

test('7: an open stream that goes silent for ever is ended by us', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: 'Hel' }))
  }
  const text = await (await ask({ stream: true })).text()
  expect(text).toContain('upstream_idle_timeout')
  expect(text).not.toContain('[DONE]')
})

test('11: a fingerprint that comes late changes nothing before it', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      frame({ role: 'assistant', content: 'Hi' }) +
        frame({}, 'stop', { system_fingerprint: 'fp' }) +
        USAGE_FRAME +
        DONE_FRAME,
    )
  }
  const text = await (await ask({ stream: true })).text()
  expect(text).toMatch(/Hi[^]*"finish_reason":"stop"[^]*\[DONE\]/)
})

test("12: a caller's x-request-id never reaches the upstream, and the answer has one of ours", async () => {
  const response = await ask({}, { 'x-request-id': 'chosen-by-caller' })
  expect(JSON.stringify(world.upstream.seen[0]?.headers)).not.toContain('chosen-by-caller')
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
})

test('13: names are checked here, since some engines answer to any', async () => {
  expect(await codeOf(await ask({ model: 'no-such-model' }))).toBe('model_not_found')
  expect(world.upstream.seen).toHaveLength(0)
  await ask({})
  expect(sent()).toMatchObject({ model: 'small-model' })
})

test('15: what engines answer with a 500 is refused before it is sent: an image for a model without sight', async () => {
  const image = { type: 'image_url', image_url: { url: 'https://images.example.org/a.png' } }
  const response = await ask({ messages: [{ role: 'user', content: [image] }] })
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false'])
  expect(world.upstream.seen).toHaveLength(0)
})

test.each([
  ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }],
  ['no messages', { messages: [] }],
  ['a negative temperature', { temperature: -1 }],
  ['top_p of 1.5', { top_p: 1.5 }],
  [
    'a tool choice that names nobody',
    {
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'function', function: { name: 'g' } },
    },
  ],
  ['guided_json', { guided_json: '{}' }],
  ['priority', { priority: -1 }],
])('17: what engines accept silently is refused here: %s', async (_what, body) => {
  expect((await ask(body)).status).toBe(400)
  expect(world.upstream.seen).toHaveLength(0)
})

test('18: arguments are passed on as the model wrote them, object or not', async () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '"Paris"' } }
  world.upstream.answer = json(200, {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  })
  const body = (await (await ask({ tools: [{ type: 'function', function: { name: 'f' } }] })).json()) as {
    choices: { finish_reason: string; message: { tool_calls: { function: { arguments: string } }[] } }[]
  }
  expect(body.choices[0]?.message.tool_calls[0]?.function.arguments).toBe('"Paris"')
  expect(body.choices[0]?.finish_reason).toBe('tool_calls')
})

test('19: text before a call stays text', async () => {
  world.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
    response.end(
      frame({ role: 'assistant', content: 'Let me see. ' }) +
        frame({ tool_calls: [call] }) +
        frame({}, 'tool_calls') +
        USAGE_FRAME +
        DONE_FRAME,
    )
  }
  const text = await (await ask({ stream: true, tools: [{ type: 'function', function: { name: 'f' } }] })).text()
  expect(text).toMatch(/Let me see\. [^]*"name":"f"[^]*"finish_reason":"tool_calls"/)
})

test('25: a server of kind openai that is not hosted is asked for a stream, also for a caller that did not stream; vLLM is asked as the caller asked', async () => {
  const whole = await ask({ model: 'big' })
  expect(wantsStream(world.upstream.seen[0]!)).toBe(true)
  expect(((await whole.json()) as { object: string }).object).toBe('chat.completion')
  await ask({ model: 'small' })
  expect(wantsStream(world.upstream.seen[1]!)).toBe(false)
})

test('26: idle connections are given up before engines close them', async () => {
  const sockets = new Set<unknown>()
  world.upstream.server.on('connection', (socket) => sockets.add(socket))
  await ask({})
  await ask({})
  const soon = sockets.size
  await sleep(4500)
  await ask({})
  expect(soon).toBeLessThanOrEqual(1)
  expect(sockets.size).toBe(soon + 1)
})
