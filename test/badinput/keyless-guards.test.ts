/**
 * A keyless service on loopback keeps web pages off every path that spends: another `Host` (DNS rebinding), an `Origin`, and bodies that
 * a form can send without asking (Fetch standard, "CORS-safelisted request-header"). Each says so in its path's own envelope.
 */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'

let upstream: FakeUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  const config = configFor({ small: upstream.url })
  gateway = await startGatewayProcess({
    config: config
      .slice(0, config.indexOf('keys:'))
      .replace('drainSeconds: 5', "drainSeconds: 5, allowedOrigins: ['http://localhost:5173']"),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    ownedByTest: false,
  })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

const user = [{ role: 'user', content: 'ping' }]
const BODIES: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { model: 'small', messages: user },
  '/v1/responses': { model: 'small', input: 'ping' },
  '/v1/messages': { model: 'small', max_tokens: 5, messages: user },
  '/v1/messages/count_tokens': { model: 'small', messages: user },
  '/v1/completions': { model: 'small', prompt: 'ping' },
  '/v1/embeddings': { model: 'small', input: 'ping' },
}

/** Like `fetch`, which does not let its user set Host. */
function post(path: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port: gateway.port,
        host: '127.0.0.1',
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(BODIES[path]))
  })
}

function codeOf(path: string, text: string): unknown {
  const body = JSON.parse(text) as { type?: string; error: { code?: string; details?: { error_code: string } } }
  if (!path.startsWith('/v1/messages')) return body.error.code
  expect(body.type).toBe('error')
  return body.error.details?.error_code
}

describe.each(Object.keys(BODIES))('%s', (path) => {
  test.each([
    ['another host', { host: 'evil.example.com' }, 403, 'invalid_host'],
    ['a host that begins like loopback', { host: '127.0.0.1.evil.example.com' }, 403, 'invalid_host'],
    ['the address that means any', { host: '0.0.0.0' }, 403, 'invalid_host'],
    ['a web page', { origin: 'https://evil.example.com' }, 403, 'origin_not_allowed'],
    ['a page without an origin', { origin: 'null' }, 403, 'origin_not_allowed'],
    ['another port of a listed origin', { origin: 'http://localhost:5174' }, 403, 'origin_not_allowed'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    ['plain text', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['text that looks like JSON', { 'content-type': 'text/plain;application/json' }, 415, 'unsupported_media_type'],
    ['a compressed body', { 'content-encoding': 'gzip' }, 415, 'unsupported_media_type'],
  ])('%s is refused in its envelope and nothing is sent', async (_what, headers, status, code) => {
    const before = upstream.seen.length
    const reply = await post(path, headers)
    expect(reply.status, reply.text).toBe(status)
    expect(codeOf(path, reply.text)).toBe(code)
    expect(upstream.seen).toHaveLength(before)
  })

  test('a loopback name and a listed origin are let in', async () => {
    for (const headers of [{ host: 'localhost:1' }, { host: '[::1]' }, { origin: 'http://localhost:5173' }])
      expect((await post(path, headers)).status).not.toBe(403)
  })
})
