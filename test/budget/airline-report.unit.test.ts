import { describe, expect, test } from 'vitest'
import { capEffect, type Caps } from '../../src/budget/report/cap-effect.ts'
import { charge } from '../../src/budget/prices/charge.ts'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import type { CallRecord, TaskRecord } from '../../src/budget/report/task-record.ts'
import { sumOfCosts, taskReport } from '../../src/budget/report/task-report.ts'
import { reportJson } from '../../src/cli/task-report-json.ts'
import { usdToNano, ZERO_USD } from '../../src/shared/money.ts'
import { airlineReport, airlineRuns, hasAirlineRuns, type AirlineRun } from '../support/airline-runs.ts'
import { airlineFigures, type ReportJson } from '../support/report-figures.ts'

/** The data's own: dollars per million, no discount for cached tokens. */
const GPT_4O = makePrice({ inputPerM: usdToNano(2.5), outputPerM: usdToNano(10) }, 'file')

function taskOf({ outcome, messages, turns, tool_calls }: AirlineRun): TaskRecord {
  const calls = turns.map(({ msg, prompt_tokens, completion_tokens }): CallRecord => {
    const usage = {
      input: prompt_tokens,
      output: completion_tokens,
      cachedInput: 0,
      cacheWrite: 0,
      reasoning: 0,
      audioInput: 0,
      audioOutput: 0,
      estimated: false,
    }
    return {
      cost: charge(usage, GPT_4O),
      toolCalls: messages.slice(0, msg).filter(({ role }) => role === 'tool').length,
    }
  })
  return {
    type: 'airline',
    outcome,
    cost: sumOfCosts(calls),
    unresolved: ZERO_USD,
    toolCalls: tool_calls,
    writeCalls: 0,
    modelCalls: turns.length,
    inputTokens: turns.reduce((sum, turn) => sum + turn.prompt_tokens, 0),
    outputTokens: turns.reduce((sum, turn) => sum + turn.completion_tokens, 0),
    seconds: 0,
    calls,
  }
}

function reported(tasks: readonly TaskRecord[], caps: Caps): ReportJson {
  return reportJson(taskReport(tasks), caps, capEffect(tasks, caps)) as unknown as ReportJson
}

describe.skipIf(!hasAirlineRuns)('152 recorded airline runs (needs ../shared/data/agents)', () => {
  test('are reported exactly as expected', () => {
    expect(airlineFigures(reported(airlineRuns().map(taskOf), { toolCalls: 6 }))).toEqual(airlineReport())
  })

  test('cost $22.603325, of which a cap of six tool calls and $0.50 would have saved $6.269395', () => {
    const { all, cap } = reported(airlineRuns().map(taskOf), { toolCalls: 6, usd: usdToNano(0.5) })
    expect(all.cost_nano_usd).toBe(22_603_325_000)
    // Four runs make their seventh tool call after the last model call.
    expect(cap).toMatchObject({ above: 53, stopped: 49, completed_stopped: 8, saved_nano_usd: 6_269_395_000 })
  })

  test('lose $0.1995075 of five runs to a cap of $0.50, and no completed one', () => {
    const { cap } = reported(airlineRuns().map(taskOf), { usd: usdToNano(0.5) })
    expect(cap).toMatchObject({ above: 5, stopped: 5, completed_stopped: 0, saved_nano_usd: 199_507_500 })
  })
})
