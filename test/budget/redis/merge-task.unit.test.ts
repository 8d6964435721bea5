import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeTask } from '../../../src/budget/redis/merge-task.ts'
import { decodeTask, encodeTask, newTask, type Task } from '../../../src/budget/tasks/task.ts'
import type { TaskLimits } from '../../../src/gateway/tasks.ts'
import type { NanoUsd } from '../../../src/shared/money.ts'

const usd = (amount: number): NanoUsd => amount as NanoUsd

function task(limits: TaskLimits = { usd: usd(1000) }): Task {
  return newTask('acme', 'fix-42', 'default', limits, 1)
}

/** What a gateway may do to a task, on a copy of it. */
const deeds = {
  topUp: (to: Task, key: string, amount: number) => {
    if (to.topUps.has(key)) return
    to.limits = { ...to.limits, usd: usd((to.limits.usd ?? 0) + amount) }
    to.topUps.set(key, { asked: `add ${amount}`, limit: to.limits.usd as NanoUsd })
  },
  raise: (to: Task, key: string, limit: number) => {
    if (to.topUps.has(key) || limit < (to.limits.usd ?? 0)) return
    to.limits = { ...to.limits, usd: usd(limit) }
    to.topUps.set(key, { asked: `to ${limit}`, limit: usd(limit) })
  },
  tool: (to: Task, id: string) => {
    if (to.toolIds.has(id)) return
    to.toolIds.add(id)
    to.toolCalls += 1
    if (id.endsWith('w')) to.writeIds.add(id)
  },
} as const

function copy(of: Task): Task {
  return decodeTask(encodeTask(of))
}

test('top-ups of both sides count, each once', () => {
  const base = task()
  const [mine, theirs] = [copy(base), copy(base)]
  deeds.topUp(mine, 'a', 10)
  deeds.topUp(theirs, 'b', 100)
  expect(mergeTask(base, mine, theirs).limits.usd).toBe(1110)
  // The same request, sent to both.
  deeds.topUp(mine, 'b', 100)
  expect(mergeTask(base, mine, theirs).limits.usd).toBe(1110)
})

test('a limit that one side lowered stays lowered', () => {
  const base = task({ usd: usd(1000), toolCalls: 9, ms: 500 })
  const [mine, theirs] = [copy(base), copy(base)]
  mine.limits = { ...mine.limits, toolCalls: 3 }
  theirs.limits = { ...theirs.limits, ms: 100, usd: usd(700) }
  const merged = mergeTask(base, mine, theirs)
  expect(merged.limits).toEqual({ usd: 700, toolCalls: 3, ms: 100 })
})

test.each([
  ['running', 'cancelled', 'cancelled'],
  ['cancelled', 'running', 'cancelled'],
  ['paused_budget', 'running', 'paused_budget'],
  ['stopped', 'completed', 'completed'],
] as const)('of %s here and %s there comes %s', (here, there, state) => {
  const base = task()
  const [mine, theirs] = [copy(base), copy(base)]
  mine.state = here
  theirs.state = there
  expect(mergeTask(base, mine, theirs).state).toBe(state)
})

test('a task that ran out of money here goes on after a top-up there', () => {
  const base = task()
  const [mine, theirs] = [copy(base), copy(base)]
  mine.state = 'paused_budget'
  deeds.topUp(theirs, 'a', 100)
  expect(mergeTask(base, mine, theirs)).toMatchObject({ state: 'running', limits: { usd: 1100 } })
})

test('a task that both made at the same time has the lower limits and counts the tools of both', () => {
  const [mine, theirs] = [task({ usd: usd(5) }), task({ usd: usd(9), toolCalls: 2 })]
  deeds.tool(mine, 'x')
  deeds.tool(theirs, 'x')
  deeds.tool(theirs, 'y')
  expect(mergeTask(undefined, mine, theirs)).toMatchObject({ limits: { usd: 5, toolCalls: 2 }, toolCalls: 2 })
})

const deed = fc.oneof(
  fc.record({ verb: fc.constant('topUp' as const), key: fc.constantFrom('a', 'b', 'c'), amount: fc.nat(50) }),
  fc.record({ verb: fc.constant('tool' as const), key: fc.constantFrom('x', 'yw', 'zw'), amount: fc.constant(0) }),
)

test('what is granted and counted is the same whatever gateways did it, in one order or another', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 8 }), fc.array(deed, { maxLength: 8 }), (here, there) => {
      // A key is one request, which says the same wherever it is sent.
      const amounts = new Map<string, number>()
      const run = (to: Task, list: typeof here): void => {
        for (const { verb, key, amount } of list) {
          if (!amounts.has(key)) amounts.set(key, amount)
          deeds[verb](to, key, amounts.get(key) as number)
        }
      }
      const base = task()
      const [mine, theirs, alone] = [copy(base), copy(base), copy(base)]
      run(mine, here)
      run(theirs, there)
      run(alone, [...here, ...there])
      const merged = mergeTask(base, mine, theirs)
      expect(merged.limits.usd).toBe(alone.limits.usd)
      expect(merged.toolCalls).toBe(alone.toolCalls)
      expect([...merged.toolIds].sort()).toEqual([...alone.toolIds].sort())
      expect([...merged.writeIds].sort()).toEqual([...alone.writeIds].sort())
      expect([...merged.topUps.keys()].sort()).toEqual([...alone.topUps.keys()].sort())
    }),
    { numRuns: 500 },
  )
})

test('a raise to an amount that the other side has passed grants nothing more', () => {
  const base = task()
  const [mine, theirs] = [copy(base), copy(base)]
  deeds.raise(mine, 'a', 1500)
  deeds.topUp(theirs, 'b', 900)
  expect(mergeTask(base, mine, theirs).limits.usd).toBe(1900)
})
