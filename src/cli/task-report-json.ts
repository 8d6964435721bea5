import type { CapEffect, Caps } from '../budget/report/cap-effect.ts'
import type { GroupFigures, TaskFigures, TaskReport } from '../budget/report/task-report.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'

/** The report on tasks as JSON: amounts as decimal dollars and as integers, means in nano-dollars, what is not known as null. */
export function reportJson({ all, types }: TaskReport, caps: Caps, effect: CapEffect): Record<string, unknown> {
  const { tasks, above, completedAbove, stopped, completedStopped, unknown, saved } = effect
  return {
    all: figuresJson(all),
    types: types.map((figures) => ({ type: figures.type, ...figuresJson(figures) })),
    cap: {
      tool_calls: caps.toolCalls ?? null,
      ...amount('usd', caps.usd),
      tasks,
      above,
      completed_above: completedAbove,
      stopped,
      completed_stopped: completedStopped,
      unknown,
      ...amount('saved_usd', saved),
    },
  }
}

function figuresJson(figures: TaskFigures): Record<string, unknown> {
  return {
    ...groupJson(figures),
    ended: figures.ended,
    completed: figures.completed,
    completion_rate: figures.completionRate ?? null,
    cost_per_completion_nano_usd: figures.costPerCompletion ?? null,
    escalation_rate: figures.escalationRate ?? null,
    silent_failure_rate: figures.silentFailureRate ?? null,
    outcomes: figures.outcomes.map((group) => ({ outcome: group.outcome, ...groupJson(group) })),
  }
}

function groupJson(figures: GroupFigures): Record<string, unknown> {
  return {
    tasks: figures.tasks,
    ...amount('cost_usd', figures.cost),
    ...amount('unresolved_usd', figures.unresolved),
    cost_per_task_nano_usd: figures.costPerTask ?? null,
    ...amount('cost_p50_usd', figures.costP50),
    ...amount('cost_p95_usd', figures.costP95),
    ...amount('cost_max_usd', figures.costMax),
    tool_calls_mean: figures.toolCallsMean ?? null,
    tool_calls_p95: figures.toolCallsP95 ?? null,
    write_calls_mean: figures.writeCallsMean ?? null,
    model_calls_mean: figures.modelCallsMean ?? null,
    tokens_in_mean: figures.inputTokensMean ?? null,
    tokens_out_mean: figures.outputTokensMean ?? null,
    seconds_mean: figures.secondsMean ?? null,
  }
}

function amount(name: string, value: NanoUsd | undefined): Record<string, string | number | null> {
  return {
    [name]: value === undefined ? null : formatUsd(value),
    [name.replace(/usd$/, 'nano_usd')]: value ?? null,
  }
}
