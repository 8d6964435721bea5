/** Azure and OpenRouter as settings of kind `openai`. */
import { expect, test } from 'vitest'
import { frame, say, startFakeUpstream, USAGE_FRAME } from '../support/fake-upstream.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'

async function start(upstream: string, url: string): Promise<(body?: object) => Promise<Response>> {
  const gateway = await startGatewayProcess({
    env: { TEST_KEY: 'fake-key' },
    config: `
upstreams:
  up: { kind: openai, apiKey: env:TEST_KEY, retries: 0, breaker: off, ask: as-asked, ${upstream.replaceAll('URL', url)} }
models:
  m: { upstream: up, model: my-deployment, price: { inputPerM: 1, outputPerM: 2 } }
keys: [ { name: ci, key: sk-test } ]
telemetry: { log: off }
`,
  })
  return (body = {}) =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9, ...body }),
    })
}

test.each([
  [
    "Azure's deployments",
    'baseUrl: "URL/openai", apiVersion: "2024-10-21", authHeader: api-key',
    '/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21',
  ],
  [
    "Azure's v1 interface with a version",
    'baseUrl: "URL/openai/v1", apiVersion: preview, authHeader: api-key',
    '/openai/v1/chat/completions?api-version=preview',
  ],
])('%s: the address, the key bare in its own header, and the newer name of the cap', async (_what, settings, path) => {
  const upstream = await startFakeUpstream(say('Hello'))
  const chat = await start(settings, upstream.url)
  expect(await (await chat()).json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
  const [seen] = upstream.seen
  expect(seen?.path).toBe(path)
  expect(seen?.headers['api-key']).toBe('fake-key')
  expect(seen?.headers['authorization']).toBeUndefined()
  expect(JSON.parse(seen?.body ?? '')).toMatchObject({ max_completion_tokens: 9 })
})

const OPENROUTER = `baseUrl: "URL/api/v1", headers: { HTTP-Referer: "https://app.example.com", X-Title: "My agents" }`

test('OpenRouter: its headers, its comments, its reasoning; our own price', async () => {
  const upstream = await startFakeUpstream((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.write(': OPENROUTER PROCESSING\n\n')
    reply.write(
      frame({
        role: 'assistant',
        content: '',
        reasoning: 'Hm.',
        reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }],
      }),
    )
    reply.write(': OPENROUTER PROCESSING\n\n')
    reply.write(frame({ content: 'Hello' }))
    reply.write(frame({}, 'stop', { native_finish_reason: 'end_turn' }))
    reply.end(`${USAGE_FRAME.replace('"total_tokens"', '"cost":0.5,"total_tokens"')}data: [DONE]\n\n`)
  })
  const chat = await start(OPENROUTER, upstream.url)
  const text = await (await chat({ stream: true, stream_options: { include_usage: true } })).text()
  expect(upstream.seen[0]?.path).toBe('/api/v1/chat/completions')
  expect(upstream.seen[0]?.headers).toMatchObject({
    authorization: 'Bearer fake-key',
    'http-referer': 'https://app.example.com',
    'x-title': 'My agents',
  })
  expect(text).toContain('"reasoning_content":"Hm."')
  expect(text).toContain('"content":"Hello"')
  expect(text).toContain(`"cost_nano_usd":${5 * 1000 + 7 * 2000}`)
  expect(text).not.toContain('OPENROUTER')
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
})

test.each([
  [429, 'upstream_rate_limited', 429],
  [402, 'upstream_payment_required', 503],
  [502, 'upstream_error', 502],
])('OpenRouter: an error %i inside of a 200 is %s', async (code, becomes, status) => {
  const upstream = await startFakeUpstream((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' })
    reply.end(JSON.stringify({ error: { code, message: 'No.', metadata: { provider_name: 'x' } } }))
  })
  const reply = await (await start(OPENROUTER, upstream.url))()
  expect(reply.status).toBe(status)
  expect(await reply.json()).toMatchObject({ error: { code: becomes } })
})

test('OpenRouter: an error in the middle of a stream is an error frame, although its finish_reason has a word for it', async () => {
  const upstream = await startFakeUpstream((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.write(frame({ role: 'assistant', content: 'Half' }))
    reply.end(
      `${frame({ content: '' }, 'error', { error: { code: 'server_error', message: 'Provider disconnected' } })}data: [DONE]\n\n`,
    )
  })
  const text = await (await (await start(OPENROUTER, upstream.url))({ stream: true })).text()
  expect(text).toContain('"content":"Half"')
  expect(text).toContain('"code":"upstream_error"')
  expect(text).not.toContain('[DONE]')
})
