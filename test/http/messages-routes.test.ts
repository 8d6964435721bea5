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

test('a count names what it left out, and a list of models is cut into pages', async () => {
  const upstream = await startFakeUpstream()
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
  })
  const headers = { 'content-type': 'application/json', 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' }
  const count = async (body: string): Promise<string | null> => {
    const answer = await fetch(`${gateway.url}/v1/messages/count_tokens`, { method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    return answer.headers.get('x-switchyard-dropped')
  }
  expect(await count(BODY)).toBeNull()
  expect(await count(BODY.replace('{', '{"made_up":1,"a b":1,'))).toBe('made_up, ?')

  type List = { readonly data: { readonly id: string }[]; readonly has_more: boolean }
  const list = async (query: string): Promise<List> =>
    (await (await fetch(`${gateway.url}/v1/models${query}`, { headers })).json()) as List
  const all = await list('?limit=1000')
  expect(all.data.length).toBeGreaterThan(1)
  const first = await list('?limit=1')
  expect([first.has_more, first.data]).toEqual([true, all.data.slice(0, 1)])
  expect((await list(`?after_id=${first.data[0]?.id}`)).data).toEqual(all.data.slice(1))
  const wrong = await fetch(`${gateway.url}/v1/models?limit=0`, { headers })
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { type: 'invalid_request_error' } }])
})
