import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capEffect } from '../../../src/budget/report/cap-effect.ts'
import { sumOfCosts } from '../../../src/budget/report/task-report.ts'
import { toNanoUsd, ZERO_USD } from '../../../src/shared/money.ts'
import { amounts, taskOf, tasks } from '../../support/task-records.ts'

const usd = toNanoUsd

test('a task with exactly the allowed tool calls is not stopped; one more stops it at its next model call', () => {
  const six = taskOf([
    [10, 0],
    [20, 6],
  ])
  const seven = taskOf([
    [10, 0],
    [20, 7],
    [30, 7],
  ])
  expect(capEffect([six, seven], { toolCalls: 6 })).toMatchObject({ above: 1, stopped: 1, saved: 50 })
})

test('tool calls after the last model call are above the cap, but there is nothing left to stop', () => {
  const task = taskOf([[10, 6]], { toolCalls: 7 })
  expect(capEffect([task], { toolCalls: 6 })).toMatchObject({ above: 1, stopped: 0, saved: 0, unknown: 0 })
})

test('dollars stop the call that does not fit, and all that follow, also cheap ones', () => {
  const task = taskOf([
    [40, 0],
    [61, 0],
    [5, 0],
  ])
  expect(capEffect([task], { usd: usd(100) })).toMatchObject({ stopped: 1, saved: 66 })
  expect(capEffect([task], { usd: usd(101) })).toMatchObject({ stopped: 1, saved: 5 })
  expect(capEffect([task], { usd: usd(106) })).toMatchObject({ above: 0, stopped: 0, saved: 0 })
})

test('what completed tasks a cap would have cost is said beside what it saves', () => {
  const long = (outcome: 'success' | 'escalated_right' | 'silent_failure') => taskOf([[1, 9]], { outcome })
  const effect = capEffect([long('success'), long('escalated_right'), long('silent_failure')], { toolCalls: 6 })
  expect(effect).toMatchObject({ stopped: 3, completedStopped: 2, completedAbove: 2 })
})

test('a task whose attempts are not kept any more counts as unknown and saves nothing', () => {
  const folded = taskOf([[100, 9]], { calls: undefined })
  expect(capEffect([folded], { toolCalls: 6 })).toMatchObject({ above: 1, stopped: 0, unknown: 1, saved: ZERO_USD })
})

test('a tighter cap never stops fewer nor saves less, no cap saves nothing, and nothing saves more than was spent', () => {
  fc.assert(
    fc.property(tasks, fc.nat({ max: 40 }), fc.nat({ max: 10 }), amounts, amounts, (all, calls, fewer, most, less) => {
      const loose = capEffect(all, { toolCalls: calls, usd: most })
      const tight = capEffect(all, { toolCalls: Math.max(0, calls - fewer), usd: usd(Math.max(0, most - less)) })
      expect(tight.saved).toBeGreaterThanOrEqual(loose.saved)
      expect(tight.stopped).toBeGreaterThanOrEqual(loose.stopped)
      expect(tight.saved).toBeLessThanOrEqual(sumOfCosts(all))
      expect(loose.stopped + loose.unknown).toBeLessThanOrEqual(loose.above)
      expect(capEffect(all, {})).toMatchObject({ above: 0, stopped: 0, saved: 0 })
    }),
  )
})
