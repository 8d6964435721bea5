import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LIST } from '../../scripts/conformance/list.ts'
import { conformancePage } from '../../scripts/conformance/page.ts'
import { readResults } from '../../scripts/conformance/results.ts'
import { Broken, same } from '../../scripts/conformance/row.ts'
import { Reply } from '../../scripts/conformance/reply.ts'
import { fails, refuses, succeeds } from '../../scripts/conformance/verdicts.ts'

const answer = (status: number, text: string): Reply => new Reply(status, {}, Buffer.from(text), true)
const said = (finish: string | null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a' }, finish_reason: finish }] })}\n\n`

test('docs/streaming-conformance.md is what the list and the kept results say', () => {
  const page = readFileSync(new URL('../../docs/streaming-conformance.md', import.meta.url), 'utf8')
  expect(page).toBe(conformancePage(LIST, readResults()))
})

test('at least 60 rows, each with an id of its own, a sentence and a public source', () => {
  expect(LIST.length).toBeGreaterThanOrEqual(60)
  expect(new Set(LIST.map((row) => row.id)).size).toBe(LIST.length)
  for (const row of LIST) {
    expect(row.id).toMatch(/^[a-z]+\/[a-z0-9-]+$/)
    expect(row.promise).toMatch(/^[`A-Z].*[.!]$/)
    expect(row.source).toMatch(
      /^https:\/\/(github\.com|html\.spec\.whatwg\.org|www\.rfc-editor\.org|platform\.openai\.com)\//,
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
