/** Upstreams that are dead, slow, flapping or rude, against the real process. */
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { frame, json, say, startFakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }
/** A port on which nothing listens (the discard port, which needs root to bind). */
const DEAD = 'http://127.0.0.1:9'

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly error: { readonly code: string; readonly message: string } | undefined
}

async function ask(gateway: GatewayProcess, body: object): Promise<Reply> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'ping' }], ...body }),
  })
  const text = await response.text()
  const error = text.startsWith('{') ? (JSON.parse(text) as { error?: Reply['error'] }).error : undefined
  return { status: response.status, headers: response.headers, text, error }
}

test('a dead upstream is a 502 that says which, and within the time for a connection', async () => {
  const gateway = await startGatewayProcess({ config: configFor({ small: DEAD }), env: ENV })
  const reply = await ask(gateway, { model: 'small' })
  expect(reply).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } })
})

test('when the small model is dead the big one answers and the head says why', async () => {
  const big = await startFakeUpstream(say('from the big one'))
  const gateway = await startGatewayProcess({ config: configFor({ small: DEAD, big: big.url }), env: ENV })
  const reply = await ask(gateway, { model: 'auto:cheap' })
  expect(reply.status).toBe(200)
  expect(reply.text).toContain('from the big one')
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    'x-route': 'frontier',
    'x-route-reason': 'fallback',
    'x-attempts': '2',
  })
})

test('a pinned model is never replaced by another one', async () => {
  const big = await startFakeUpstream()
  const gateway = await startGatewayProcess({ config: configFor({ small: DEAD, big: big.url }), env: ENV })
  expect((await ask(gateway, { model: 'small' })).status).toBe(502)
  expect(big.seen).toHaveLength(0)
})

test('a name that does not resolve is a 502', async () => {
  const gateway = await startGatewayProcess({
    config: configFor({ small: 'http://no-such-host.invalid:8000' }),
    env: ENV,
  })
  expect(await ask(gateway, { model: 'small' })).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } })
})

test('an upstream that takes the request and says nothing is a 504', async () => {
  const upstream = await startFakeUpstream(() => {})
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  expect(await ask(gateway, { model: 'small' })).toMatchObject({ status: 504, error: { code: 'upstream_timeout' } })
})

test('a stream that goes silent ends in an error frame and not in [DONE]', async () => {
  const upstream = await startFakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frame({ role: 'assistant', content: 'Hel' }))
  })
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  const reply = await ask(gateway, { model: 'small', stream: true })
  expect(reply.text).toContain('Hel')
  expect(reply.text).toContain('upstream_idle_timeout')
  expect(reply.text).not.toContain('[DONE]')
})

test.each([
  ['our own key refused', json(401, { error: { message: 'bad key sk-upstream-test' } }), 502, 'upstream_auth', 'false'],
  ['forbidden', json(403, { error: { message: 'no' } }), 502, 'upstream_auth', 'false'],
  ['not paid', json(402, { error: { message: 'no' } }), 503, 'upstream_payment_required', 'false'],
  [
    'too many requests',
    json(429, { error: { message: 'no' } }, { 'retry-after': '7' }),
    429,
    'upstream_rate_limited',
    null,
  ],
  ['a 500', json(500, { error: { message: 'boom' } }), 502, 'upstream_error', null],
  ['a 200 with an error body', json(200, { error: { message: 'boom' } }), 502, 'upstream_error', null],
  ['a redirect', json(302, {}, { location: 'http://127.0.0.1:1/' }), 502, 'upstream_redirect', 'false'],
  ['nonsense', json(200, 'what?'), 502, 'upstream_garbage', null],
  [
    'too long a prompt',
    json(400, {
      error: { message: "This model's maximum context length is 10 tokens", code: 'context_length_exceeded' },
    }),
    400,
    'context_length_exceeded',
    'false',
  ],
] as const)(
  '%s becomes its row of the error table, in our own words',
  async (_what, answer, status, code, shouldRetry) => {
    const upstream = await startFakeUpstream(answer)
    const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
    const reply = await ask(gateway, { model: 'small' })
    expect(reply).toMatchObject({ status, error: { code } })
    expect(reply.headers.get('x-should-retry')).toBe(shouldRetry)
    expect(reply.text).not.toMatch(/boom|bad key|sk-upstream|maximum context length is 10/)
    expect(gateway.output()).not.toContain('sk-upstream-test')
    if (status === 429) expect(reply.headers.get('retry-after')).toBe('7')
  },
)

test('an HTML error page is a 502 and none of it is shown', async () => {
  const upstream = await startFakeUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<html>secret page</html>')
  })
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  const reply = await ask(gateway, { model: 'small' })
  expect(reply.status).toBe(502)
  expect(reply.text).not.toContain('secret page')
})

test('a flapping upstream is retried before the first content, and the caller sees one answer', async () => {
  let calls = 0
  const upstream = await startFakeUpstream((request, response) => {
    calls += 1
    void (calls % 2 === 1 ? json(503, {}) : say('Hello'))(request, response)
  })
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }).replaceAll('retries: 0', 'retries: 2'),
    env: ENV,
  })
  for (let i = 0; i < 3; i++) expect((await ask(gateway, { model: 'small' })).status).toBe(200)
  expect(calls).toBe(6)
})

test('a retry goes to another replica than the one that has just failed', async () => {
  const limited = await startFakeUpstream(json(429, {}, { 'retry-after': '30' }))
  const free = await startFakeUpstream(say('Hello'))
  const config = configFor({ small: limited.url })
    .replace(`replicas: ["${limited.url}"]`, `replicas: ["${limited.url}", "${free.url}"]`)
    .replaceAll('retries: 0', 'retries: 1')
  const gateway = await startGatewayProcess({ config, env: ENV })
  for (let i = 0; i < 3; i++) expect((await ask(gateway, { model: 'small' })).status).toBe(200)
  expect(free.seen).toHaveLength(3)
})

test('a model that has said when to come back is not tried first until then, and its time is passed on', async () => {
  const limited = await startFakeUpstream(json(429, {}, { 'retry-after': '30' }))
  const big = await startFakeUpstream(say('from the big one'))
  const config = configFor({ small: limited.url, big: big.url }).replaceAll('retries: 0', 'retries: 2')
  const gateway = await startGatewayProcess({ config, env: ENV })
  const heads: (string | null)[][] = []
  for (let i = 0; i < 3; i++) {
    const { headers } = await ask(gateway, { model: 'auto:cheap' })
    heads.push([headers.get('x-route'), headers.get('x-route-reason'), headers.get('x-attempts')])
  }
  expect(heads).toEqual([
    ['frontier', 'fallback', '2'],
    ['frontier', 'fallback', '1'],
    ['frontier', 'fallback', '1'],
  ])
  expect(limited.seen).toHaveLength(1)
  // By name it is asked all the same.
  const pinned = await ask(gateway, { model: 'small' })
  expect([pinned.status, pinned.headers.get('retry-after')]).toEqual([429, '30'])
  expect(limited.seen).toHaveLength(2)
})

test('the upstream closing idle keep-alive sockets at any moment never shows to a caller', async () => {
  const upstream = await startFakeUpstream()
  upstream.server.keepAliveTimeout = 1
  upstream.server.on('connection', (socket) => setTimeout(() => socket.destroy(), 40))
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  const statuses = new Map<number, number>()
  for (let i = 0; i < 300; i++) {
    const { status } = await ask(gateway, { model: 'small' })
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  expect(Object.fromEntries(statuses)).toEqual({ 200: 300 })
})

test('an upstream with a certificate that nobody vouches for is refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-tls-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-keyout',
      join(dir, 'key.pem'),
      '-out',
      join(dir, 'cert.pem'),
    ],
    { stdio: 'ignore' },
  )
  let calls = 0
  const server = createTlsServer(
    { key: readFileSync(join(dir, 'key.pem')), cert: readFileSync(join(dir, 'cert.pem')) },
    () => (calls += 1),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const gateway = await startGatewayProcess({
    config: configFor({ small: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }),
    env: ENV,
  })
  expect(await ask(gateway, { model: 'small' })).toMatchObject({ status: 502, error: { code: 'upstream_tls' } })
  expect(calls).toBe(0)
})

test('a server that closes each new connection without a word is asked as often as retries allow, and no more', async () => {
  let connections = 0
  const server = createTcpServer((socket) => {
    connections += 1
    socket.once('data', () => socket.end())
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const gateway = await startGatewayProcess({ config: configFor({ small: `http://127.0.0.1:${port}` }), env: ENV })
  expect(await ask(gateway, { model: 'small' })).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } })
  expect(connections).toBe(1)
})
