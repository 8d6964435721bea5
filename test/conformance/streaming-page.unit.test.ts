import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LIST } from '../../scripts/conformance/list.ts'
import { conformancePage } from '../../scripts/conformance/page.ts'
import { readResults } from '../../scripts/conformance/results.ts'
import { Broken, same, type Dialect } from '../../scripts/conformance/row.ts'
import { Reply } from '../../scripts/conformance/reply.ts'
import { blocksOf, failsAsMessage, messageEvents, stops } from '../../scripts/conformance/messages-reply.ts'
import { completes, failsAsResponse } from '../../scripts/conformance/responses-reply.ts'
import { fails, refuses, succeeds } from '../../scripts/conformance/verdicts.ts'

const answer = (status: number, text: string): Reply => new Reply(status, {}, Buffer.from(text), true)
const said = (finish: string | null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a' }, finish_reason: finish }] })}\n\n`

test('docs/streaming-conformance.md is what the list and the kept results say', () => {
  const page = readFileSync(new URL('../../docs/streaming-conformance.md', import.meta.url), 'utf8')
  expect(page).toBe(conformancePage(LIST, readResults()))
})

test('at least 60 rows for chat and 20 for each other API, each with an id of its own, a sentence and a public source', () => {
  const count = (dialect: Dialect): number => LIST.filter((row) => row.dialect === dialect).length
  expect(count('chat')).toBeGreaterThanOrEqual(60)
  expect(count('responses')).toBeGreaterThanOrEqual(20)
  expect(count('messages')).toBeGreaterThanOrEqual(20)
  expect(new Set(LIST.map((row) => row.id)).size).toBe(LIST.length)
  for (const row of LIST) {
    expect(row.id).toMatch(/^[a-z]+\/[a-z0-9-]+$/)
    expect(row.promise).toMatch(/^[`A-Z].*[.!]$/)
    expect(row.source).toMatch(
      /^https:\/\/(github\.com|html\.spec\.whatwg\.org|www\.rfc-editor\.org|platform\.openai\.com|developers\.openai\.com|platform\.claude\.com)\//,
    )
  }
})

test('the kept run of Switchyard has every row, and all hold', () => {
  const rows = readResults()['switchyard']?.rows ?? {}
  expect(Object.keys(rows)).toEqual(LIST.map((row) => row.id))
  expect(Object.entries(rows).filter(([, row]) => row.outcome !== 'holds')).toEqual([])
})

test('verdicts: a good end, a failure that says so, and a failure that looks like success', () => {
  const good = answer(200, `${said(null)}${said('stop')}data: [DONE]\n\n`)
  const told = answer(200, `${said(null)}data: {"error":{"message":"x"}}\n\n`)
  const silent = answer(200, said(null))
  succeeds(good, 'aa')
  fails(told)
  refuses(answer(502, '{"error":{"message":"x"}}'))
  for (const wrong of [told, silent, answer(200, `${said('stop')}data: [DONE]\n\ndata: [DONE]\n\n`)])
    expect(() => succeeds(wrong)).toThrow(Broken)
  for (const wrong of [good, silent, answer(200, `${said('stop')}data: {"error":{"message":"x"}}\n\n`)])
    expect(() => fails(wrong)).toThrow(Broken)
  for (const wrong of [good, answer(502, '<html>'), answer(500, '{"error":"x"}')])
    expect(() => refuses(wrong)).toThrow(Broken)
})

test('a reply is read as a careful client reads it', () => {
  const piece = (index: number | undefined, id: string | undefined, args: string): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index, id, function: { arguments: args } }] } }] })}\r\n\r\n`
  const reply = answer(
    200,
    `\uFEFF: hi\r\n\r\n${piece(0, 'a', '{"x"')}${piece(1, 'b', '2')}${piece(0, undefined, ':1}')}`,
  )
  expect(reply.calls().map((call) => [call.id, call.arguments])).toEqual([
    ['a', '{"x":1}'],
    ['b', '2'],
  ])
  expect(() => answer(200, piece(undefined, 'a', '')).calls()).toThrow('no index')
  expect(() => answer(200, piece(0, 'a', '') + piece(0, 'b', '')).calls()).toThrow('changed its id')
  expect(() => answer(200, 'data: : keepalive\n\n').frames).toThrow('not a JSON object')
  expect(() => same({ a: 1 }, { a: 2 }, 'a')).toThrow('a: {"a":1} instead of {"a":2}')
})

const events = (...bodies: readonly object[]): Reply =>
  answer(200, bodies.map((body) => `data: ${JSON.stringify(body)}\n\n`).join(''))

test('a response completes once, or fails and says so', () => {
  const [created, completed, failed] = ['created', 'completed', 'failed'].map((name) => ({ type: `response.${name}` }))
  expect(completes(events(created!, completed!))).toHaveLength(2)
  for (const wrong of [
    [created!],
    [created!, failed!],
    [created!, completed!, completed!],
    [created!, failed!, completed!],
  ])
    expect(() => completes(events(...wrong))).toThrow(Broken)
  expect(failsAsResponse(events(created!, failed!))).toHaveLength(2)
  for (const wrong of [[created!], [created!, completed!], [created!, failed!, completed!]])
    expect(() => failsAsResponse(events(...wrong))).toThrow(Broken)
})

test('a message stops, or fails and says so, and its blocks add up in their places', () => {
  const start = { type: 'message_start' }
  const stop = { type: 'message_stop' }
  const error = { type: 'error', error: { type: 'api_error', message: 'x' } }
  const open = (index: number): object => ({
    type: 'content_block_start',
    index,
    content_block: { type: 'tool_use', name: 'f', input: {} },
  })
  const piece = (index: number, partial_json: string): object => ({
    type: 'content_block_delta',
    index,
    delta: { partial_json },
  })
  expect(stops(events(start, { type: 'ping' }, stop))).toHaveLength(2)
  for (const wrong of [[start], [start, error], [start, error, stop]])
    expect(() => stops(events(...wrong))).toThrow(Broken)
  expect(failsAsMessage(events(start, error))).toHaveLength(2)
  for (const wrong of [[start], [start, stop], [start, error, stop]])
    expect(() => failsAsMessage(events(...wrong))).toThrow(Broken)
  const blocks = (...bodies: object[]): unknown => blocksOf(messageEvents(events(...bodies)))
  expect(blocks(open(0), piece(0, '{"a"'), open(1), piece(0, ':1}'))).toMatchObject([
    { input: { a: 1 } },
    { input: {} },
  ])
  expect(() => blocks(open(1))).toThrow('place of a new block')
  expect(() => blocks(piece(0, '{}'))).toThrow('which was not started')
  expect(() => blocks(open(0), piece(0, '{'))).toThrow('not JSON')
})
