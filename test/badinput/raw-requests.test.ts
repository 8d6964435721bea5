/**
 * Raw HTTP/1.1 bytes against the real process: framing and smuggling, chunked bodies, request lines, headers, content types, keys.
 * The rule: the listed statuses, no second request smuggled in, no upstream call for what was refused, no crash, no hang. The vectors are
 * requests for chat; sent to every other path that takes a body they must be judged alike, and refused in that path's own envelope.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { configFor, startGatewayProcess } from '../support/gateway-process.ts'
import { sendRaw } from '../support/raw-client.ts'
import { readFixture } from '../support/vectors.ts'

interface Row {
  readonly id: string
  readonly desc: string
  readonly raw_b64?: string
  readonly half_close?: boolean
  readonly script?: string
  readonly expect: {
    readonly status?: readonly number[]
    readonly then?: string
    readonly upstream_calls?: number | null
    readonly body_error_code?: string
    readonly responses?: number
  }
}

const KEY_MARKS = ['sk-wrong', 'sk-tes"', 'SK-TEST', 'pg_sleep', 'eyJhbGciOiJub25lIn0']
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

const rows = readFixture<Row>('badinput/http.jsonl').filter((row) => row.raw_b64 !== undefined)

const CHAT_PATH = '/v1/chat/completions'
const PATHS = [
  CHAT_PATH,
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/completions',
  '/v1/embeddings',
] as const
type Path = (typeof PATHS)[number]

/** Counting spends nothing, so that limits of a task mean nothing there. */
const DIFFERENT: ReadonlySet<string> = new Set(['/v1/messages/count_tokens headers/budget-spoof'])

/** The row's bytes with another path in its request lines, and what is expected there. */
function at(path: Path, row: Row): Row {
  if (path === CHAT_PATH) return row
  const raw = Buffer.from(row.raw_b64 ?? '', 'base64')
    .toString('latin1')
    .replaceAll(CHAT_PATH, path)
  const { status = [], upstream_calls: calls } = row.expect
  const isTaken = status.some((each) => each >= 200 && each < 300)
  return {
    ...row,
    raw_b64: Buffer.from(raw, 'latin1').toString('base64'),
    // A chat body that was let through is none of that API: where it was read it is a 400 that names a field.
    expect: isTaken
      ? { ...row.expect, status: [...status, 400, 404], upstream_calls: null }
      : { ...row.expect, upstream_calls: calls ?? null },
  }
}

describe.each(PATHS)('%s', (path) => {
  const vectors = rows.filter(
    (row) =>
      path === CHAT_PATH ||
      (Buffer.from(row.raw_b64 ?? '', 'base64').includes(CHAT_PATH) && !DIFFERENT.has(`${path} ${row.id}`)),
  )
  test.each(vectors.map((row) => [row.id, at(path, row)] as const))('%s', (_id, row) => check(path, row))
})

async function check(path: Path, row: Row): Promise<void> {
  const callsBefore = upstream.seen.length
  const responses = row.expect.responses ?? 1
  const reply = await sendRaw(gateway.port, Buffer.from(row.raw_b64 ?? '', 'base64'), {
    halfClose: row.half_close === true,
    // A parser may rightly wait for more of a request; what it answers by then is what counts.
    waitMs: row.expect.status?.includes(0) === true ? 600 : 12_000,
    enough: (text) => text.split(/HTTP\/1\.1 \d{3}/).length - 1 >= responses && isWhole(text),
  })

  expect(row.expect.status, reply.text.slice(0, 400)).toContain(reply.status)
  expect(reply.text.split(/HTTP\/1\.1 2\d\d/).length - 1, 'number of successful answers').toBeLessThanOrEqual(responses)
  expect(reply.text).not.toMatch(/smuggled is not supported|admin\/keys/)
  for (const mark of KEY_MARKS) expect(reply.text).not.toContain(mark)
  if (row.expect.then === 'connection closed')
    expect(reply.isClosed || /connection: close/i.test(reply.text)).toBe(true)
  if (typeof row.expect.upstream_calls === 'number')
    expect(upstream.seen.length - callsBefore).toBe(row.expect.upstream_calls)
  if (reply.status === 401) expect(reply.text).toContain('"invalid_api_key"')
  if (row.expect.responses !== undefined)
    expect(reply.text.split(/HTTP\/1\.1 \d{3}/).length - 1).toBe(row.expect.responses)
  checkEnvelope(path, reply.status, reply.text)
}

/** Errors in the words of the path's own API, wherever a request was understood well enough to have a path. */
function checkEnvelope(path: Path, status: number, text: string): void {
  const body = /\r\n\r\n(\{.*\})$/s.exec(text.slice(0, text.indexOf('HTTP/1.1', 9) >>> 0))?.[1]
  if (status < 400 || body === undefined || !/x-request-id/i.test(text)) return
  const error = JSON.parse(body) as Record<string, Record<string, unknown>>
  if (path.startsWith('/v1/messages')) {
    expect(error['type'], text).toBe('error')
    expect(error['error']?.['details'], text).toMatchObject({ error_code: expect.any(String) as string })
  } else {
    expect(Object.keys(error), text).toEqual(['error'])
    expect(error['error']?.['code'], text).toEqual(expect.any(String))
  }
}

test('after all of them the process is the same one, ready and without a call left over', async () => {
  expect(gateway.child.exitCode).toBeNull()
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
  expect(page).toMatch(/^switchyard_budget_held_usd 0$/m)
  for (const mark of KEY_MARKS) {
    expect(page).not.toContain(mark)
    expect(gateway.output()).not.toContain(mark)
  }
})

function isWhole(text: string): boolean {
  const at = text.lastIndexOf('\r\n\r\n')
  const length = /content-length: (\d+)/gi.exec(text.slice(text.lastIndexOf('HTTP/1.1 ')))?.[1]
  return at >= 0 && (length === undefined || text.length - at - 4 >= Number(length))
}
