/** The conformance list against the real process, and against a relay that makes the usual mistakes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../../scripts/conformance/gateways.ts'
import { LIST } from '../../scripts/conformance/list.ts'
import type { Target } from '../../scripts/conformance/probe.ts'
import { runList, type Result } from '../../scripts/conformance/run-list.ts'
import { ANY_ANSWER } from '../../scripts/conformance/tell.ts'
import { startUpstream, type ScriptedUpstream } from '../../scripts/conformance/upstream.ts'
import { startCarelessRelay, type CarelessRelay } from '../support/careless-relay.ts'

let upstream: ScriptedUpstream
let gateway: RunningGateway
let relay: CarelessRelay
beforeAll(async () => {
  upstream = await startUpstream(0, ANY_ANSWER)
  gateway = await startGateway('switchyard', upstream.url, () => {})
  relay = await startCarelessRelay(upstream.url)
})
afterAll(async () => {
  await gateway.stop()
  await relay.stop()
  await upstream.stop()
})

const outcomes = (results: readonly Result[], outcome: Result['outcome']): string[] =>
  results.filter((each) => each.outcome === outcome).map((each) => each.id)

test('every row holds for the service', { timeout: 240_000 }, async () => {
  const results = await runList(LIST, { target: gateway.target, upstream, patienceMs: 10_000 })
  expect(results.filter((each) => each.outcome !== 'holds')).toEqual([])
  expect(results).toHaveLength(LIST.length)
})

test('without the scripted upstream its rows are not run, and never hold', async () => {
  const rows = LIST.filter((row) => row.id.startsWith('http/'))
  const results = await runList(rows, { target: gateway.target, upstream: undefined, patienceMs: 5000 })
  expect(outcomes(results, 'not run')).toEqual(rows.filter((row) => row.upstream !== undefined).map((row) => row.id))
  expect(outcomes(results, 'broken')).toEqual([])
})

test('a gateway that does not use the scripted upstream is found out', async () => {
  const other = await startUpstream(0, ANY_ANSWER)
  try {
    const rows = LIST.filter((row) => row.id === 'sse/crlf')
    const results = await runList(rows, { target: gateway.target, upstream: other, patienceMs: 5000 })
    expect(results).toMatchObject([{ outcome: 'not run', detail: expect.stringContaining('does not use') as string }])
  } finally {
    await other.stop()
  }
})

describe('a relay that makes the usual mistakes', () => {
  let results: readonly Result[]
  beforeAll(async () => {
    const target: Target = { url: relay.url, model: 'any', headers: {} }
    results = await runList(LIST, { target, upstream, patienceMs: 1000 })
  }, 240_000)

  test('holds the rows of a plain answer', () => {
    expect(outcomes(results, 'holds')).toEqual(
      expect.arrayContaining(['shape/role-first', 'shape/one-id', 'http/content-type', 'http/first-token']),
    )
  })

  test('has chat alone: the rows of the other APIs are absent, and neither held nor broken', () => {
    const others = LIST.filter((row) => row.dialect !== 'chat').map((row) => row.id)
    expect(outcomes(results, 'absent')).toEqual(others)
  })

  test.each([
    'sse/byte-by-byte',
    'sse/split-characters',
    'sse/crlf',
    'sse/cr',
    'sse/no-space',
    'shape/role-missing',
    'shape/ids-vary',
    'shape/after-done',
    'usage/unasked-from-upstream',
    'usage/null-elsewhere',
    'usage/asked-upstream',
    'usage/twice',
    'tools/index-missing',
    'tools/index-same',
    'tools/finish-stop',
    'tools/split-bytes',
    'end/cut-before-content',
    'end/cut-after-content',
    'end/close-without-finish',
    'end/cut-in-tool-call',
    'end/error-first',
    'end/error-in-mid-answer',
    'end/no-upstream-secrets',
    'end/empty',
    'end/silent-after-content',
    'http/leave-stream',
    'http/leave-whole',
    'http/slow-reader',
    'http/cache-control',
    'error/429',
    'error/stream-status',
  ])('breaks %s', (id) => expect(outcomes(results, 'broken')).toContain(id))
})
