/** The process as an operator handles it: reload, exit codes, a taken port, what it prints. */
import { createServer, type AddressInfo } from 'node:net'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startFakeUpstream, say } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'

const ENV = { TEST_UPSTREAM_KEY: 'sk-upstream-test' }

async function models(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer sk-test' } })
  return ((await response.json()) as { data: { id: string }[] }).data.map((model) => model.id)
}

test('SIGHUP takes a new file over without a request lost, and keeps the old one if the new one is wrong', async () => {
  const upstream = await startFakeUpstream(say('Hello'))
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  const file = join(gateway.dir, 'switchyard.yaml')
  const config = readFileSync(file, 'utf8')
  const over = new AbortController()
  const statuses = new Set<number>()
  const traffic = (async () => {
    while (!over.signal.aborted) {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }] }),
      })
      statuses.add(response.status)
      await response.text()
    }
  })()

  writeFileSync(
    file,
    config.replace('models:', 'models:\n  another: { upstream: gpu, model: small-model, tier: local }'),
  )
  gateway.signal('SIGHUP')
  await expect.poll(() => models(gateway.url), { timeout: 5000 }).toContain('another')
  writeFileSync(file, 'server: { prot: 1 }\n')
  gateway.signal('SIGHUP')
  await expect.poll(() => gateway.output(), { timeout: 5000 }).toContain('Did you mean "port"?')
  over.abort()
  await traffic

  expect(gateway.output()).toContain('the old one stays in force')
  expect(await models(gateway.url)).toContain('another')
  expect([...statuses]).toEqual([200])
})

test('SIGHUP refuses what only a start can bring: models of the simulator', async () => {
  const gateway = await startGatewayProcess({ config: configFor({ small: 'http://127.0.0.1:9' }), env: ENV })
  writeFileSync(
    join(gateway.dir, 'switchyard.yaml'),
    'upstreams: { sim: { kind: simulated } }\nmodels: { pretend: { upstream: sim, model: pretend } }\nkeys: [{ name: ci, key: sk-test }]\n',
  )
  gateway.signal('SIGHUP')
  await expect.poll(() => gateway.output(), { timeout: 5000 }).toContain('pretend needs a restart')
  expect(await models(gateway.url)).toContain('small')
})

test('a port that is taken ends the start with 2 and a sentence', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const start = startGatewayProcess({
    config: configFor({ small: 'http://127.0.0.1:9' }),
    env: ENV,
    flags: ['--port', String(port)],
  })
  await expect(start).rejects.toThrow(new RegExp(`ended with 2[^]*server\\.port: ${port} is taken by another process`))
})

test('the admin key of the first start is kept, readable by its owner only', async () => {
  const gateway = await startGatewayProcess({ config: configFor({ small: 'http://127.0.0.1:9' }), env: ENV })
  const file = join(gateway.dir, 'data/admin.key')
  expect(existsSync(file)).toBe(true)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(gateway.output()).not.toContain(readFileSync(file, 'utf8').trim())
})

test('the log has one line per request, with neither prompt nor key', async () => {
  const upstream = await startFakeUpstream(say('a secret answer'))
  const gateway = await startGatewayProcess({ config: configFor({ small: upstream.url }), env: ENV })
  await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json', 'x-task-id': 'task-1' },
    body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'a secret prompt' }] }),
  })
  await expect.poll(() => gateway.output(), { timeout: 3000 }).toContain('"event":"request"')
  const line = JSON.parse(
    gateway
      .output()
      .split('\n')
      .find((each) => each.includes('"event":"request"')) ?? '{}',
  ) as Record<string, unknown>
  expect(line).toMatchObject({
    status: 200,
    tenant: 'acme',
    key: 'ci',
    task: 'task-1',
    target: 'small',
    reason: 'pinned',
    input: 5,
    output: 7,
    attempts: 1,
  })
  expect(gateway.output()).not.toMatch(/secret|sk-test|sk-upstream-test/)
})

test('paths without /v1 work, paths that are not supported are named, and limits are told', async () => {
  const upstream = await startFakeUpstream(say('Hello'))
  const gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }).replace('tenant: acme', 'tenant: acme, requestsPerMinute: 2'),
    env: ENV,
  })
  const post = (path: string): Promise<Response> =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'hosted/big-model', messages: [{ role: 'user', content: 'ping' }] }),
    })
  const first = await post('/chat/completions')
  expect([
    first.status,
    first.headers.get('x-route-upstream'),
    first.headers.get('x-ratelimit-remaining-requests'),
  ]).toEqual([200, 'hosted', '1'])
  expect(
    ((await (await post('/v1/images/generations')).json()) as { error: { message: string } }).error.message,
  ).toMatch(/\/v1\/images\/generations is not supported\. Supported are: POST \/v1\/chat\/completions/)
  for (const [method, path, allow] of [
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/models/', 'GET'],
    ['POST', '/healthz', 'GET'],
  ] as const) {
    const wrong = await fetch(gateway.url + path, { method, headers: { 'x-api-key': 'sk-test' } })
    expect([wrong.status, wrong.headers.get('allow'), await wrong.text()]).toEqual([
      405,
      allow,
      expect.stringContaining(`use ${allow}.`),
    ])
  }
  await post('/v1/chat/completions')
  const limited = await post('/v1/chat/completions')
  expect([
    limited.status,
    limited.headers.get('x-should-retry'),
    Number(limited.headers.get('retry-after-ms')) > 0,
  ]).toEqual([429, null, true])
})

test('a key sees the models it may use and its limits, and no others', async () => {
  const config = configFor({ small: 'http://127.0.0.1:9' }).replace(
    'tenant: acme',
    'tenant: acme, models: [auto, small], requestsPerMinute: 9',
  )
  const gateway = await startGatewayProcess({ config, env: ENV })
  const get = (path: string): Promise<Response> =>
    fetch(gateway.url + path, { headers: { authorization: 'Bearer sk-test' } })
  const list = await get('/v1/models')
  expect(((await list.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual([
    'auto',
    'auto:cheap',
    'auto:balanced',
    'auto:best',
    'small',
  ])
  expect(list.headers.get('x-ratelimit-remaining-requests')).toBe('9')
  expect([(await get('/v1/models/small')).status, (await get('/v1/models/big')).status]).toEqual([200, 404])
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401)
})

test('a keyless service on loopback is safe from web pages', async () => {
  const upstream = await startFakeUpstream(say('Hello'))
  const config = configFor({ small: upstream.url })
    .replace(/keys:[^]*$/, '')
    .replace('drainSeconds: 5', 'drainSeconds: 5, allowedOrigins: ["http://localhost:3000"]')
  const gateway = await startGatewayProcess({ config, env: ENV })
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'ping' }] }),
    })
  const json = { 'content-type': 'application/json' }
  expect((await post({ ...json, origin: 'https://evil.example' })).status).toBe(403)
  expect((await post({ 'content-type': 'text/plain' })).status).toBe(415)
  const allowed = await post({ ...json, origin: 'http://localhost:3000' })
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'http://localhost:3000'])
  expect((await post(json)).status).toBe(200)
  expect(upstream.seen).toHaveLength(2)
})

test('a data folder that cannot be written ends the start with 2 and a sentence, also while simulating', async () => {
  const config = 'keys: [{ name: ci, key: sk-test }]\n'
  const start = startGatewayProcess({ config, flags: ['--no-detect', '--data-dir', 'switchyard.yaml'] })
  await expect(start).rejects.toThrow(/ended with 2[^]*dataDir: .* cannot be written/)
})
