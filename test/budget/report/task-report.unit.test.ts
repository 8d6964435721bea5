import fc from 'fast-check'
import { expect, test } from 'vitest'
import { taskOutcome } from '../../../src/budget/report/task-outcome.ts'
import { sumOfCosts, taskReport } from '../../../src/budget/report/task-report.ts'
import { taskOf, tasks } from '../../support/task-records.ts'

const FACTS = { claimed: undefined, hasPassed: undefined, isEscalated: false } as const

test.each([
  ['success', { state: 'completed', claimed: 'success', hasPassed: true }],
  ['unverified', { state: 'completed_unverified', claimed: 'success' }],
  ['unverified', { state: 'completed_unverified' }],
  ['silent_failure', { state: 'failed', claimed: 'success', hasPassed: false }],
  ['silent_failure', { state: 'failed', claimed: 'unknown', hasPassed: false }],
  ['failed', { state: 'failed', claimed: 'failure' }],
  ['failed', { state: 'failed', claimed: 'failure', hasPassed: false }],
  ['failed', { state: 'failed' }],
  ['escalated', { state: 'completed_unverified', claimed: 'success', isEscalated: true }],
  ['escalated_right', { state: 'completed', claimed: 'success', hasPassed: true, isEscalated: true }],
  ['escalated_wrong', { state: 'failed', claimed: 'success', hasPassed: false, isEscalated: true }],
  ['stopped', { state: 'stopped' }],
  ['cancelled', { state: 'cancelled', isEscalated: true }],
  ['open', { state: 'running' }],
  ['open', { state: 'paused_budget' }],
  ['open', { state: 'of a later version' }],
] as const)('a task is taken for %s when it is %o', (outcome, facts) => {
  expect(taskOutcome({ ...FACTS, ...facts })).toBe(outcome)
})

test('rates are those of the tasks that have ended; what a completion costs includes what failed', () => {
  const { all } = taskReport([
    taskOf([[100, 0]], { outcome: 'success' }),
    taskOf([[300, 0]], { outcome: 'silent_failure' }),
    taskOf([[50, 0]], { outcome: 'open' }),
  ])
  expect(all).toMatchObject({ tasks: 3, ended: 2, completed: 1, completionRate: 0.5, silentFailureRate: 0.5 })
  expect(all).toMatchObject({ cost: 450, costPerTask: 150, costPerCompletion: 450 })
})

test('percentiles are costs that occurred: of 20 tasks the 95th percentile is the 19th', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => taskOf([[index + 1, 0]]))
  expect(taskReport(twenty).all).toMatchObject({ costP50: 10, costP95: 19, costMax: 20 })
})

test('means of tokens leave out tasks whose attempts are not kept any more', () => {
  const folded = taskOf([], { inputTokens: undefined, outputTokens: undefined })
  expect(taskReport([folded, taskOf([], { inputTokens: 8 })]).all.inputTokensMean).toBe(8)
})

test('without tasks there are no figures rather than zeros or NaN', () => {
  const { all, types } = taskReport([])
  expect(types).toEqual([])
  expect(all).toMatchObject({
    tasks: 0,
    cost: 0,
    costPerTask: undefined,
    completionRate: undefined,
    costP95: undefined,
  })
})

test('types and outcomes each add up to the whole, to the nano-dollar', () => {
  fc.assert(
    fc.property(tasks, (given) => {
      const { all, types } = taskReport(given)
      expect(all.cost).toBe(sumOfCosts(given))
      expect(sumOfCosts(types)).toBe(all.cost)
      expect(sumOfCosts(all.outcomes)).toBe(all.cost)
      for (const type of types) {
        expect(sumOfCosts(type.outcomes)).toBe(type.cost)
        expect(type.outcomes.reduce((sum, each) => sum + each.tasks, 0)).toBe(type.tasks)
      }
      expect(types.reduce((sum, each) => sum + each.tasks, 0)).toBe(given.length)
    }),
  )
})
