/** The vectors of bad chat bodies, turned into bodies of the Responses API, against the real process: the same rules hold. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MOVED_FIELDS } from '../../src/protocol/openai-responses/fields.ts'
import { responsesBody, responsesText } from '../support/derived-responses.ts'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { generateBody, type Generator } from '../support/generators.ts'
import { readFixture, readShared } from '../support/vectors.ts'

interface Row {
  readonly id: string
  readonly field: string
  readonly outcome: 'reject' | 'accept' | 'either'
  readonly body?: Readonly<Record<string, unknown>>
  readonly raw?: string
  readonly raw_b64?: string
  readonly gen?: Generator
  readonly shield?: boolean
}
interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string
  }
}

/** Faults that are none here, and why. */
const NO_FAULT: ReadonlyMap<string, string> = new Map([
  ['messages/type-string', 'the input may be a text'],
  ['messages/type-numstr', 'the input may be a text'],
  ['messages/type-empty-string', 'the input may be a text'],
  ['top_logprobs/without-logprobs', 'there is no field logprobs'],
  ['stream_options/bad-type', 'there is no option include_usage'],
  ['messages/name-bad-chars', 'messages have no name'],
  ['messages/name-65', 'messages have no name'],
])
const HANG_MS = 2000

let upstream: FakeUpstream
let gateway: Awaited<ReturnType<typeof startGatewayProcess>>

beforeAll(async () => {
  upstream = await startFakeUpstream(undefined, { ownedByTest: false })
  gateway = await startGatewayProcess({
    config: configFor({ small: upstream.url }).replace('tenant: acme', 'tenant: acme, store: true'),
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
  const response = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: body as string,
  })
  return { status: response.status, text: await response.text(), tookMs: performance.now() - started }
}

function bodyOf(row: Row): string | Buffer {
  if (row.raw_b64 !== undefined) return responsesText(Buffer.from(row.raw_b64, 'base64'))
  if (row.raw !== undefined) return responsesText(row.raw)
  if (row.gen !== undefined) return responsesText(generateBody(row.gen))
  return JSON.stringify(responsesBody(row.body ?? {}))
}

describe('bodies', () => {
  const rows = readFixture<Row>('badinput/requests.jsonl')

  test.each(rows.map((row) => [row.id, row] as const))('%s', async (id, row) => {
    const callsBefore = upstream.seen.length
    const reply = await post(bodyOf(row))
    const forwarded = upstream.seen.slice(callsBefore).map((request) => request.body)
    expect(reply.status, reply.text.slice(0, 300)).toBeLessThan(500)
    expect(reply.tookMs).toBeLessThan(HANG_MS)
    if (reply.status >= 400) {
      expect(forwarded).toEqual([])
      const { error } = JSON.parse(reply.text) as ErrorBody
      expect(error.message.length).toBeGreaterThan(10)
      expect(error.type).toMatch(/_error$/)
    }
    const hasOther = Object.entries(row.body ?? {}).some(
      ([name, value]) => MOVED_FIELDS.has(name) && name in responsesBody(row.body ?? {}) && value !== null,
    )
    if (hasOther) expect(reply.status).toBe(400)
    else if (row.outcome === 'reject' && !NO_FAULT.has(id))
      expect(reply.status, reply.text.slice(0, 300)).toBeGreaterThan(399)
    else if (row.outcome === 'accept') expect(reply.status, reply.text.slice(0, 300)).toBe(200)
    if (row.shield === true) {
      for (const [key, value] of Object.entries(row.body ?? {})) {
        if (key === 'model' || key === 'messages') continue
        for (const body of forwarded) {
          expect(body).not.toContain(`"${key}"`)
          if (typeof value === 'string') expect(body).not.toContain(value)
        }
      }
    }
  })
})

test('private, link-local and disguised image addresses are refused with the place named', async () => {
  const rows = readFixture<{ url: string; expect: string }>('badinput/urls.jsonl').filter(
    (row) => row.expect === 'block',
  )
  for (const { url } of rows) {
    const input = [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }]
    const reply = await post(JSON.stringify({ model: 'auto', input }))
    expect(reply.status, url).toBe(400)
    expect((JSON.parse(reply.text) as ErrorBody).error.param, url).toBe('input[0].content[0].image_url')
  }
  expect(rows.length).toBeGreaterThan(20)
})

const naughty = readShared<{ readonly id: string; readonly string: string }>('badinput/strings/naughty_strings.jsonl')
test.skipIf(naughty === undefined)(
  'naughty strings reach the upstream code unit for code unit, also from what was stored',
  async () => {
    for (const { id, string } of naughty ?? []) {
      const reply = await post(JSON.stringify({ model: 'auto', input: string }))
      expect(reply.status, id).toBe(200)
      const made = JSON.parse(reply.text) as { id: string }
      const next = await post(JSON.stringify({ model: 'auto', previous_response_id: made.id, input: 'x' }))
      expect(next.status, id).toBe(200)
      const sent = JSON.parse(upstream.seen.at(-1)?.body ?? '{}') as { messages: { content: { text: string }[] }[] }
      expect(sent.messages[0]?.content[0]?.text, id).toBe(string)
    }
  },
)

test('after all of them the process is the same one, without a call left over and without a 5xx of its own', async () => {
  expect(gateway.child.exitCode).toBeNull()
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).not.toMatch(/result="failed"/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
})
