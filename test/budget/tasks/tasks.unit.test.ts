import { expect, test } from 'vitest'
import { answeredTools } from '../../../src/budget/tasks/answered-tools.ts'
import { encodeTask, taskKey } from '../../../src/budget/tasks/task.ts'
import { WallDay } from '../../../src/budget/wall-day.ts'
import { toNanoUsd } from '../../../src/shared/money.ts'
import { budgetWorld } from '../../support/budget-world.ts'
import { usage } from '../../support/fake-steps.ts'

const HOUR_MS = 3_600_000

test('an idle task is reported as completed, unverified, and its next request opens it with the same books', async () => {
  const world = budgetWorld({ limits: { usd: toNanoUsd(1000) } })
  const first = await world.hold('t')
  await world.budget.settle(first.hold, { kind: 'complete', usage: usage(10, 1) })
  first.release()
  const task = world.tasks.get('default', 't')
  expect(world.tasks.reportedState(task)).toBe('running')
  world.clock.wallMs += HOUR_MS
  expect(world.tasks.reportedState(task)).toBe('completed_unverified')
  world.tasks.sweep()
  expect(world.ended).toEqual(['t completed_unverified 20'])
  await world.ledger.written()
  expect(world.tasks.peek('default', 't')).toBeUndefined()
  const again = await world.hold('t')
  again.release()
  expect(world.tasks.reportedState(world.tasks.get('default', 't'))).toBe('running')
  expect(world.tasks.remaining(world.tasks.get('default', 't'))).toBe(1000 - 20 - 100)
})

test('a task survives the process: limits, counted tools and lowered budget with it', async () => {
  const world = budgetWorld({ limits: { usd: toNanoUsd(1000), concurrency: 3 } })
  const { call, hold, release } = await world.hold('t')
  await world.budget.settle(hold, { kind: 'complete', usage: usage(10, 1) })
  release()
  const tool = { role: 'tool', toolCallId: 'c1', content: 'ok' } as const
  const admission = await world.admitter.admit({
    ...call,
    task: { ...call.task, budgetUsd: toNanoUsd(500) },
    request: { ...call.request, messages: [...call.request.messages, tool] },
  })
  world.admitter.release(call, admission, undefined)
  await world.ledger.written()
  const later = budgetWorld({ limits: { usd: toNanoUsd(9999) } }, world.journal)
  const task = later.tasks.get('default', 't')
  expect(task).toMatchObject({ toolCalls: 1, limits: { usd: 500, concurrency: 3 } })
  expect(later.tasks.remaining(task)).toBe(480)
})

test('books and documents of two tenants never meet, whatever their names hold', () => {
  const keys = [taskKey('a', 'b/c'), taskKey('a/b', 'c'), taskKey('a%2Fb', 'c'), taskKey('a', 'b%2Fc')]
  expect(new Set(keys).size).toBe(keys.length)
})

test('an answered tool call counts once, however often and in whatever order transcripts with it are sent', () => {
  const seen = new Set<string>()
  const answer = (toolCallId: string) => ({ role: 'tool', toolCallId, content: '' }) as const
  expect(answeredTools([answer('a'), answer('b')], seen)).toHaveLength(2)
  // A model that gives an id twice has called twice.
  expect(answeredTools([answer('b'), answer('a'), answer('a')], seen)).toHaveLength(1)
  expect(answeredTools([answer('b'), answer('c')], seen)).toHaveLength(1)
  // A compacted transcript without the first ones takes nothing back.
  expect(answeredTools([answer('c')], seen)).toHaveLength(0)
})

test.each([
  ['midnight', '2026-11-25T23:59:59.999Z', '2026-11-26T00:00:00Z', ['2026-11-25', '2026-11-26']],
  ['the end of a month', '2026-11-30T23:59:59Z', '2026-12-01T00:00:01Z', ['2026-11-30', '2026-12-01']],
  ['a leap day', '2028-02-29T12:00:00Z', '2028-03-01T00:00:00Z', ['2028-02-29', '2028-03-01']],
  ['a step back over midnight', '2026-11-26T00:10:00Z', '2026-11-25T23:10:00Z', ['2026-11-26', '2026-11-26']],
  ['a step back of a year', '2026-11-26T00:10:00Z', '2025-11-25T23:10:00Z', ['2026-11-26', '2026-11-26']],
])('days around %s: no past day is opened again', (_what, before, after, days) => {
  const clock = { ms: Date.parse(before) }
  const changes: string[] = []
  const day = new WallDay(
    () => clock.ms,
    undefined,
    (each) => changes.push(each),
  )
  const seen = [day.today()]
  clock.ms = Date.parse(after)
  seen.push(day.today())
  expect(seen).toEqual(days)
  expect(changes).toEqual([...new Set(days)])
})

test('a process that starts with a clock behind goes on under the last day of the one before', () => {
  const day = new WallDay(
    () => Date.parse('2026-11-24T08:00:00Z'),
    '2026-11-25',
    () => expect.unreachable(),
  )
  expect(day.today()).toBe('2026-11-25')
})

test('what this process remembers of a task stays when another gateway has changed it', async () => {
  const world = budgetWorld({})
  const { release } = await world.hold('t')
  release()
  const [task] = world.tasks.known()
  if (task === undefined) throw new Error('no task')
  const { answers, prompts } = task
  world.tasks.adopt(encodeTask({ ...task, toolCalls: 7 }))
  expect(task).toMatchObject({ toolCalls: 7, running: 0 })
  expect(task.answers).toBe(answers)
  expect(task.prompts).toBe(prompts)
})
