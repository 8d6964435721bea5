import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FinishedRequest } from '../../src/gateway/steps.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { IsoClock } from '../../src/telemetry/iso-clock.ts'
import { requestLine } from '../../src/telemetry/request-line.ts'
import { finishedRequest } from '../support/finished-request.ts'

const TIME = '2026-11-25T00:00:00.000Z'
const parsed = (record: FinishedRequest): Record<string, unknown> =>
  JSON.parse(requestLine(record, TIME)) as Record<string, unknown>

test('golden: the line of an answered request', () => {
  expect(requestLine(finishedRequest(), TIME)).toMatchInlineSnapshot(`
    "{"level":30,"time":"2026-11-25T00:00:00.000Z","event":"request","id":"req_0123456789abcdef","tenant":"acme","key":"ci","model":"auto","stream":false,"status":200,"result":"ok","tier":"local","upstream":"gpu","target":"small","reason":"share","score":0.25,"cache":"bypass","attempts":1,"input":10,"output":20,"cost_usd":"0.0000045","ms":12,"upstream_ms":11,"first_content_ms":6}
    "
  `)
})

test('whatever a caller or an upstream wrote, a line is one JSON object on one line and says it back', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(
      text,
      text,
      text,
      text,
      fc.array(text, { maxLength: 3 }),
      (tenant, key, model, errorDetail, dropped) => {
        const record = finishedRequest({ tenant, key, model, errorDetail, dropped, taskId: key })
        expect(requestLine(record, TIME).indexOf('\n')).toBe(requestLine(record, TIME).length - 1)
        expect(parsed(record)).toMatchObject({ tenant, key, model, detail: errorDetail, task: key })
        expect(parsed(record)['dropped']).toEqual(dropped.length === 0 ? undefined : dropped)
      },
    ),
  )
})

test('what is not known is left out, and a fault of ours is a warning', () => {
  const line = parsed(
    finishedRequest({ status: 502, result: 'failed', usage: undefined, cost: undefined, firstContentMs: undefined }),
  )
  expect(line['level']).toBe(40)
  for (const name of ['input', 'output', 'cost_usd', 'first_content_ms', 'dropped', 'estimated', 'task', 'detail'])
    expect(line).not.toHaveProperty(name)
})

test('amounts are decimals without exponent, times have two places, names are cut', () => {
  const line = parsed(
    finishedRequest({ cost: toNanoUsd(7), durationMs: 1.23456, model: 'm'.repeat(500), dropped: ['d'.repeat(500)] }),
  )
  expect(line).toMatchObject({ cost_usd: '0.000000007', ms: 1.23, model: 'm'.repeat(128), dropped: ['d'.repeat(64)] })
})

test('the clock follows the wall clock in both directions', () => {
  let ms = 1000
  const clock = new IsoClock(() => ms)
  expect(clock.now()).toBe('1970-01-01T00:00:01.000Z')
  ms = 2500
  expect(clock.now()).toBe('1970-01-01T00:00:02.500Z')
  ms = 999
  expect(clock.now()).toBe('1970-01-01T00:00:00.999Z')
})

test('times and scores of any size are the numbers that they round to', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
      (ms, score) => {
        const line = parsed(finishedRequest({ durationMs: ms, score }))
        expect(line['ms']).toBeCloseTo(Math.round(ms * 100) / 100, 6)
        expect(Math.abs(Number(line['score']) - score)).toBeLessThanOrEqual(0.000_501)
        expect(JSON.stringify(line['score'])).not.toMatch(/-0$|e/)
      },
    ),
  )
})
