/**
 * Request bodies against the real process: every field with wrong types, bounds, messages, tools, transcripts, raw JSON tricks, size
 * bombs and fields that must never reach an upstream; then JSON itself, image addresses and naughty strings.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { generateBody, type Generator } from '../support/generators.ts'
import { readFixture, readShared } from '../support/vectors.ts'

interface RequestRow {
  readonly id: string
  readonly outcome: 'reject' | 'accept' | 'either'
  readonly body?: unknown
  readonly raw?: string
  readonly raw_b64?: string
  readonly gen?: Generator
  readonly shield?: boolean
  readonly check?: string
  readonly expect: {
    readonly status: readonly number[]
    readonly error?: {
      readonly type?: readonly string[]
      readonly code?: readonly (string | null)[]
      readonly param?: unknown
    }
  }
}
interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

let upstream: FakeUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }).replace(
      'models:\n',
      'models:\n  eyes: { upstream: gpu, model: eyes, contextTokens: 1000000, capabilities: [images], price: { inputPerM: 1, outputPerM: 1 } }\n',
    ),
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
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: body as string,
  })
  const text = await response.text()
  return { status: response.status, text, tookMs: performance.now() - started }
}

function bodyOf(row: RequestRow): string | Buffer {
  if (row.raw_b64 !== undefined) return Buffer.from(row.raw_b64, 'base64')
  if (row.raw !== undefined) return row.raw
  if (row.gen !== undefined) return generateBody(row.gen)
  return JSON.stringify(row.body)
}

/** A list means any of its members; absent means not judged. */
function expectOneOf(actual: unknown, allowed: unknown, what: string): void {
  if (allowed === undefined) return
  expect(Array.isArray(allowed) ? allowed : [allowed], what).toContain(actual)
}

const HANG_MS = 2000

describe('chat completion bodies', () => {
  const rows = readFixture<RequestRow>('badinput/requests.jsonl')

  test.each(rows.map((row) => [row.id, row] as const))('%s', async (_id, row) => {
    const callsBefore = upstream.seen.length
    const reply = await post(bodyOf(row))
    const forwarded = upstream.seen.slice(callsBefore).map((request) => request.body)

    expect(row.expect.status, reply.text.slice(0, 500)).toContain(reply.status)
    expect(reply.tookMs).toBeLessThan(HANG_MS)
    if (reply.status >= 400) {
      expect(forwarded).toEqual([])
      const { error } = JSON.parse(reply.text) as ErrorBody
      expect(error.message.length).toBeGreaterThan(10)
      if (row.outcome === 'reject') {
        expectOneOf(error.type, row.expect.error?.type, 'type')
        expectOneOf(error.code, row.expect.error?.code, 'code')
        expectOneOf(error.param, row.expect.error?.param, 'param')
      }
    }
    if (row.shield === true) for (const body of forwarded) expectShielded(row, body)
    if (row.check?.includes('code-unit') === true) {
      const sent = row.body as { messages: { content: string }[] }
      expect((JSON.parse(forwarded[0] ?? '{}') as typeof sent).messages[0]?.content).toBe(sent.messages[0]?.content)
    }
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

describe('JSON itself', () => {
  interface JsonRow {
    readonly id: string
    readonly json_expect: 'accept' | 'reject' | 'either'
    readonly bytes_b64: string
  }
  const rows = readShared<JsonRow>('badinput/json/jsontestsuite.jsonl')

  test.skipIf(rows === undefined)(
    'every file of JSONTestSuite as a body, and inside one, ends in an answer and never in a 5xx',
    async () => {
      for (const row of rows ?? []) {
        const bytes = Buffer.from(row.bytes_b64, 'base64')
        const alone = await post(bytes)
        expect(alone.status, row.id).toBe(400)
        const before = Buffer.from('{"model":"auto","messages":[{"role":"user","content":"x"}],"unheard_of":')
        const inside = await post(Buffer.concat([before, bytes, Buffer.from('}')]))
        expect(inside.status, `${row.id}: ${inside.text}`).toBeLessThan(500)
        if (row.json_expect === 'reject') expect(inside.status, row.id).toBe(400)
        if (row.json_expect === 'accept' && !bytes.includes('__proto__'))
          expect(inside.status, `${row.id}: ${inside.text}`).toBe(200)
      }
    },
  )
})

describe('image addresses', () => {
  interface UrlRow {
    readonly url: string
    readonly expect: 'block' | 'allow_if_operator_enabled'
  }
  test('private, link-local and disguised addresses are refused with the place named, and never reach an upstream', async () => {
    for (const row of readFixture<UrlRow>('badinput/urls.jsonl').filter((each) => each.expect === 'block')) {
      const callsBefore = upstream.seen.length
      const reply = await post(
        JSON.stringify({
          model: 'auto',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: row.url } }] }],
        }),
      )
      expect(reply.status, row.url).toBe(400)
      expect((JSON.parse(reply.text) as ErrorBody).error.param, row.url).toBe('messages[0].content[0].image_url.url')
      expect(upstream.seen.length).toBe(callsBefore)
    }
  })

  test.each(
    readFixture<UrlRow>('badinput/urls.jsonl')
      .filter((each) => each.expect === 'allow_if_operator_enabled')
      .map((row) => [row.url] as const),
  )('the public address %s is not taken for a private one and goes on as it is', async (url) => {
    const callsBefore = upstream.seen.length
    const content = [{ type: 'image_url', image_url: { url } }]
    const reply = await post(JSON.stringify({ model: 'eyes', messages: [{ role: 'user', content }] }))
    if (url.startsWith('data:')) {
      // The eight bytes of this row are the start of a PNG; that is what is wrong with it, and not where it lies.
      expect(reply.text).toContain('does not hold a readable PNG image')
      return
    }
    expect(reply.status, reply.text).toBe(200)
    const sent = JSON.parse(upstream.seen[callsBefore]?.body ?? '{}') as { messages: { content: unknown }[] }
    expect(sent.messages[0]?.content).toMatchObject(content)
  })
})

describe('naughty strings', () => {
  const rows = readShared<{ readonly id: string; readonly string: string }>('badinput/strings/naughty_strings.jsonl')

  test.skipIf(rows === undefined)(
    'reach the upstream code unit for code unit as text, and as a model name are unknown',
    async () => {
      for (const { id, string } of rows ?? []) {
        const callsBefore = upstream.seen.length
        const reply = await post(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: string }] }))
        expect(reply.status, id).toBe(200)
        const sent = JSON.parse(upstream.seen[callsBefore]?.body ?? '{}') as { messages: { content: string }[] }
        expect(sent.messages[0]?.content, id).toBe(string)
        const asModel = await post(JSON.stringify({ model: string, messages: [{ role: 'user', content: 'x' }] }))
        expect([400, 404], id).toContain(asModel.status)
      }
    },
  )
})

test('after all of them the process is the same one, ready, without a call left over and without a 5xx of its own', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).not.toMatch(/result="failed"/)
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
})
