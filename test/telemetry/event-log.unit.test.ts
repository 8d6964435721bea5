import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toNanoUsd } from '../../src/shared/money.ts'
import { EventLog } from '../../src/telemetry/event-log.ts'
import { finishedRequest } from '../support/finished-request.ts'

function logged(work: (log: EventLog) => void): readonly Record<string, unknown>[] {
  const lines: string[] = []
  work(new EventLog({ write: (line) => lines.push(line) }))
  return lines.map((line) => {
    expect(line.indexOf('\n')).toBe(line.length - 1)
    return JSON.parse(line) as Record<string, unknown>
  })
}

test('a call is one line that says what it took and what it cost', () => {
  const [line] = logged((log) => log.finished(finishedRequest({ taskId: 'ticket-42' })))
  expect(line).toMatchObject({
    run_id: 'ticket-42',
    step: 1,
    type: 'model_call',
    model: 'small',
    tokens_in: 10,
    tokens_out: 20,
    latency_ms: 12,
    tenant: 'acme',
    result: 'ok',
    cost_usd: '0.0000045',
  })
})

test('steps of a task are counted from 1, apart for each tenant, and anew after its end', () => {
  const steps = logged((log) => {
    log.finished(finishedRequest({ taskId: 't' }))
    log.finished(finishedRequest({ taskId: 't' }))
    log.finished(finishedRequest({ taskId: 't', tenant: 'beta' }))
    log.ended('acme', 't', 'completed', toNanoUsd(7), 1234.4)
    log.finished(finishedRequest({ taskId: 't' }))
  }).map((line) => line['final'] ?? line['step'])
  expect(steps).toEqual([1, 2, 1, 'success', 1])
})

test('what was refused before it was sent is no step', () => {
  expect(logged((log) => log.finished(finishedRequest({ attempts: 0, tier: undefined, result: 'refused' })))).toEqual(
    [],
  )
})

test('whatever names hold, a line is one JSON object and says them back', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(text, text, text, (taskId, tenant, target) => {
      const [line] = logged((log) => log.finished(finishedRequest({ taskId, tenant, target })))
      expect(line).toMatchObject({ run_id: taskId, tenant, model: target })
    }),
  )
})
