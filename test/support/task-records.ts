/** Tasks of the past for reports: one with given fields, and any list of them. */
import fc from 'fast-check'
import { TASK_OUTCOMES, type TaskRecord } from '../../src/budget/report/task-record.ts'
import { sumOfCosts } from '../../src/budget/report/task-report.ts'
import { toNanoUsd, ZERO_USD, type NanoUsd } from '../../src/shared/money.ts'

/** A task whose calls cost so much each, with so many tool calls made before each. */
export function taskOf(
  calls: readonly (readonly [cost: number, toolCalls: number])[],
  given: Partial<TaskRecord> = {},
): TaskRecord {
  const records = calls.map(([cost, toolCalls]) => ({ cost: toNanoUsd(cost), toolCalls }))
  return {
    type: 'default',
    outcome: 'success',
    cost: sumOfCosts(records),
    unresolved: ZERO_USD,
    toolCalls: calls.at(-1)?.[1] ?? 0,
    writeCalls: 0,
    modelCalls: calls.length,
    inputTokens: 0,
    outputTokens: 0,
    seconds: 0,
    calls: records,
    ...given,
  }
}

export const amounts: fc.Arbitrary<NanoUsd> = fc.integer({ min: 0, max: 1_000_000_000_000 }).map(toNanoUsd)

export const tasks: fc.Arbitrary<readonly TaskRecord[]> = fc.array(
  fc
    .record({
      type: fc.constantFrom('default', 'coding', '=cmd()', 'a,"b"'),
      outcome: fc.constantFrom(...TASK_OUTCOMES),
      costs: fc.array(amounts, { maxLength: 8 }),
      tools: fc.array(fc.nat({ max: 5 }), { minLength: 9, maxLength: 9 }),
      isKept: fc.boolean(),
    })
    .map(({ type, outcome, costs, tools, isKept }) => {
      let made = 0
      const task = taskOf(
        costs.map((cost, index) => [cost, (made += tools[index] as number)]),
        { type, outcome },
      )
      const all = { ...task, toolCalls: made + (tools[8] as number) }
      return isKept ? all : { ...all, calls: undefined, inputTokens: undefined, outputTokens: undefined }
    }),
  { maxLength: 30 },
)
