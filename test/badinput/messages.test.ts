/** The bad bodies of the chat endpoint, said in the words of the Messages API, against the real process: the same rules hold. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OPENAI_FIELDS } from '../../src/protocol/anthropic-messages/fields.ts'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { messagesVector, type RequestRow } from '../support/messages-vectors.ts'
import { readFixture, readShared } from '../support/vectors.ts'

interface ErrorBody {
  readonly type: string
  readonly error: {
    readonly type: string
    readonly message: string
    readonly details: { readonly error_code: string; readonly param: string | null }
  }
  readonly request_id: string
}

let upstream: FakeUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }),
    env: { TEST_UPSTREAM_KEY: 'sk-upstream-test' },
    ownedByTest: false,
  })
})

afterAll(async () => {
  await gateway.stop()
  await upstream.stop()
})

async function post(body: string | Buffer): Promise<{ status: number; text: string; tookMs: number }> {
  const started = performance.now()
  const response = await fetch(`${gateway.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-test', 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: body as string,
  })
  const text = await response.text()
  return { status: response.status, text, tookMs: performance.now() - started }
}

const HANG_MS = 2000
const minimal = { model: 'auto', max_tokens: 16, messages: [{ role: 'user', content: 'ping' }] }

describe('message bodies', () => {
  const rows = readFixture<RequestRow>('badinput/requests.jsonl').flatMap((row) => {
    const vector = messagesVector(row)
    return vector === undefined ? [] : [[row.id, row, vector] as const]
  })

  test('most of the chat vectors that are about a shared field have a counterpart', () => {
    expect(rows.length).toBeGreaterThan(250)
  })

  test.each(rows)('%s', async (_id, row, vector) => {
    const callsBefore = upstream.seen.length
    const reply = await post(vector.body())
    const forwarded = upstream.seen.slice(callsBefore).map((request) => request.body)

    expect(vector.status, reply.text.slice(0, 500)).toContain(reply.status)
    expect(reply.tookMs).toBeLessThan(HANG_MS)
    if (reply.status >= 400) {
      expect(forwarded).toEqual([])
      const { type, error, request_id: id } = JSON.parse(reply.text) as ErrorBody
      expect([type, id.slice(0, 4)]).toEqual(['error', 'req_'])
      expect(error.message.length).toBeGreaterThan(10)
      // A body that is too large, or no JSON, has no single field at fault.
      if (vector.outcome === 'reject' && vector.field !== undefined && error.details.param !== null)
        expect(error.details.param?.split(/[.[]/, 1)[0], error.message).toBe(vector.field)
    }
    if (row.shield === true) for (const body of forwarded) expectShielded(row, body)
  })
})

/** Neither the extra key nor its value may be among the bytes that the upstream got. */
function expectShielded(row: RequestRow, forwarded: string): void {
  for (const [key, value] of Object.entries(row.body as Record<string, unknown>)) {
    if (key === 'model' || key === 'messages') continue
    expect(forwarded).not.toContain(`"${key}"`)
    if (typeof value === 'string') expect(forwarded).not.toContain(value)
  }
}

test.each([...OPENAI_FIELDS])('%s belongs to the other API and is refused by name', async (name) => {
  const reply = await post(JSON.stringify({ ...minimal, [name]: 1 }))
  expect(reply.status).toBe(400)
  expect((JSON.parse(reply.text) as ErrorBody).error.details).toEqual({ error_code: 'unknown_parameter', param: name })
})

const blocks = (...content: readonly unknown[]): object => ({ messages: [{ role: 'user', content }] })
const assistant = (...content: readonly unknown[]): object => ({
  messages: [
    { role: 'user', content: 'x' },
    { role: 'assistant', content },
    { role: 'user', content: 'y' },
  ],
})

test.each<[string, object, string]>([
  ['tools of the provider', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
  ['an MCP server', { mcp_servers: [{ type: 'url', url: 'http://127.0.0.1', name: 'x' }] }, 'mcp_servers'],
  ['a container', { container: 'c_1' }, 'container'],
  ['a place', { inference_geo: 'us' }, 'inference_geo'],
  ['other models to try', { fallbacks: [{ model: 'x' }] }, 'fallbacks'],
  ['a hot temperature', { temperature: 1.5 }, 'temperature'],
  ['too small a budget', { thinking: { type: 'enabled', budget_tokens: 10 } }, 'thinking.budget_tokens'],
  ['no budget', { thinking: { type: 'enabled' } }, 'thinking.budget_tokens'],
  ['an unheard-of thinking', { thinking: { type: 'deep' } }, 'thinking.type'],
  ['an unheard-of cache', { cache_control: { type: 'forever' } }, 'cache_control.type'],
  ['an unheard-of time to live', { cache_control: { type: 'ephemeral', ttl: '2h' } }, 'cache_control.ttl'],
  ['a system prompt of pictures', { system: [{ type: 'image' }] }, 'system[0].type'],
  ['a system prompt that is a number', { system: 1 }, 'system'],
  ['a block of a newer API', blocks({ type: 'hologram' }), 'messages[0].content[0].type'],
  [
    'a file at a provider',
    blocks({ type: 'image', source: { type: 'file', file_id: 'f' } }),
    'messages[0].content[0].source.type',
  ],
  [
    'a private PDF',
    blocks({ type: 'document', source: { type: 'url', url: 'http://10.0.0.1/a.pdf' } }),
    'messages[0].content[0].source.url',
  ],
  [
    'a PDF that is no base64',
    blocks({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'http://x' } }),
    'messages[0].content[0].source.data',
  ],
  ['a result without a call', blocks({ type: 'tool_result', tool_use_id: 'x' }), 'messages[0].content[0].tool_use_id'],
  [
    'a call without a result',
    assistant({ type: 'tool_use', id: 'a', name: 'f', input: {} }),
    'messages[1].content[0].id',
  ],
  [
    'two calls of one id',
    assistant({ type: 'tool_use', id: 'a', name: 'f', input: {} }, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
    'messages[1].content[1].id',
  ],
  [
    'input that is a text',
    assistant({ type: 'tool_use', id: 'a', name: 'f', input: '{}' }),
    'messages[1].content[0].input',
  ],
  [
    'a signature that is a number',
    assistant({ type: 'thinking', thinking: '', signature: 1 }),
    'messages[1].content[0].signature',
  ],
  ['no blocks', blocks(), 'messages[0].content'],
  [
    'two tools of one name',
    { tools: [1, 2].map(() => ({ name: 'f', input_schema: { type: 'object' } })) },
    'tools[1].name',
  ],
  ['a choice among no tools', { tool_choice: { type: 'any' } }, 'tools'],
  ['a choice of an unknown tool', { tool_choice: { type: 'tool', name: 'f' } }, 'tool_choice.name'],
  ['a task id of line breaks', { metadata: { task_id: 'a\nb' } }, 'metadata.task_id'],
  ['a misspelt field', { stop_sequence: ['x'] }, 'stop_sequence'],
])('%s: 400 with the place', async (_what, more, param) => {
  const callsBefore = upstream.seen.length
  const reply = await post(JSON.stringify({ ...minimal, ...more }))
  expect(reply.status, reply.text).toBe(400)
  expect((JSON.parse(reply.text) as ErrorBody).error.details.param).toBe(param)
  expect(upstream.seen.length).toBe(callsBefore)
})

describe('naughty strings', () => {
  const rows = readShared<{ readonly id: string; readonly string: string }>('badinput/strings/naughty_strings.jsonl')

  test.skipIf(rows === undefined)(
    'reach the upstream code unit for code unit, also as ids and inputs of calls',
    async () => {
      for (const { id, string } of rows ?? []) {
        const callsBefore = upstream.seen.length
        const call = { type: 'tool_use', id: `${string}_`, name: 'f', input: { string } }
        const messages = [
          { role: 'user', content: string },
          { role: 'assistant', content: [call] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: `${string}_`, content: string }] },
        ]
        const reply = await post(JSON.stringify({ ...minimal, messages }))
        expect(reply.status, `${id} ${reply.text}`).toBe(200)
        const sent = JSON.parse(upstream.seen[callsBefore]?.body ?? '{}') as {
          messages: { content: string; tool_call_id?: string; tool_calls?: { function: { arguments: string } }[] }[]
        }
        expect(sent.messages[0]?.content, id).toBe(string)
        expect(JSON.parse(sent.messages[1]?.tool_calls?.[0]?.function.arguments ?? ''), id).toEqual({ string })
        expect([sent.messages[2]?.tool_call_id, sent.messages[2]?.content], id).toEqual([`${string}_`, string])
      }
    },
  )
})

test('paths beside it answer in the same envelope: 404, 405, and what is no JSON', async () => {
  const wrong = await fetch(`${gateway.url}/v1/messages`, { headers: { 'x-api-key': 'sk-test' } })
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  expect(await wrong.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  const batches = await fetch(`${gateway.url}/v1/messages/batches`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-test' },
  })
  expect(batches.status).toBe(404)
  expect(await batches.json()).toMatchObject({
    error: { type: 'not_found_error', message: expect.stringContaining('POST /v1/messages') as string },
  })
  for (const path of ['/v1/messages', '/messages', '/v1/messages/count_tokens']) {
    const form = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-test' },
      body: 'a=b',
    })
    expect(form.status).toBe(415)
    expect(await form.json()).toMatchObject({ type: 'error', request_id: form.headers.get('request-id') })
  }
})

test('counting needs a key as everything else does', async () => {
  const reply = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(minimal),
  })
  expect(reply.status).toBe(401)
  expect(await reply.json()).toMatchObject({ error: { type: 'authentication_error' } })
})

test('after all of them the process is the same one, ready, without a call left over and without a 5xx of its own', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).not.toMatch(/result="failed"/)
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
})
