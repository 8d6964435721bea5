/** The guards and the drain hold for the Messages API as for chat, and speak in its envelope. */
import { expect, test } from 'vitest'
import { frame, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'

const PATHS = ['/v1/messages', '/messages?beta=true', '/v1/messages/count_tokens'] as const
const BODY = JSON.stringify({ model: 'small', max_tokens: 8, messages: [{ role: 'user', content: 'x' }] })

test('without keys a web page is refused before its body is looked at, and an agent is served', async () => {
  const upstream = await startFakeUpstream()
  const config = configFor({ small: upstream.url }).replace(/keys:[^]*$/, '')
  const gateway = await startGatewayProcess({ config, env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' } })
  for (const path of PATHS) {
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: BODY })
    const page = await post({ 'content-type': 'application/json', origin: 'https://example.com' })
    expect(page.status).toBe(403)
    expect(await page.json()).toMatchObject({
      type: 'error',
      error: { type: 'permission_error', details: { error_code: 'origin_not_allowed' } },
      request_id: page.headers.get('request-id'),
    })
    const agent = await post({ 'content-type': 'application/json' })
    expect(agent.status).toBe(200)
  }
})

test('while the service drains, an open stream goes on and new requests are told to come back', async () => {
  const upstream = await startFakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: 'Hel' }))
  })
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const headers = { 'content-type': 'application/json', 'x-api-key': 'sk-test' }
  const post = (path: string, body: string): Promise<Response> =>
    fetch(`${gateway.url}${path}`, { method: 'POST', headers, body })
  const open = await post('/v1/messages', BODY.replace('{', '{"stream":true,'))
  const reader = (open.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('message_start')

  gateway.signal('SIGTERM')
  await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(503)
  for (const path of PATHS) {
    const late = await post(path, BODY)
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await late.json()).toMatchObject({
      error: { type: 'overloaded_error', details: { error_code: 'draining' } },
    })
  }
})
