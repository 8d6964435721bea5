/**
 * Raw HTTP/1.1 bytes against the real process: framing and smuggling, chunked bodies, request lines, headers, content types, keys.
 * The rule: the listed statuses, no second request smuggled in, no upstream call for what was refused, no crash, no hang.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
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

test.each(rows.map((row) => [row.id, row] as const))('%s', async (_id, row) => {
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
})

test('after all of them the process is the same one, ready and without a call left over', async () => {
  expect(gateway.child.exitCode).toBeNull()
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(page).toMatch(/switchyard_upstream_inflight\{[^}]*\} 0/)
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
