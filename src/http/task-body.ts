import type { TaskLimits, TaskView } from '../gateway/tasks.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'

/** An amount as JSON shows it: decimal dollars as text, which no reader rounds, and the integer beside it. */
export function usdOf(name: string, amount: NanoUsd): Record<string, string | number> {
  const integer = name === 'usd' ? 'nano_usd' : `${name.replace(/_usd$/, '')}_nano_usd`
  return { [name]: formatUsd(amount), [integer]: amount }
}

/** A task as `GET /v1/tasks/{id}` answers it. */
export function showTask(task: TaskView): Record<string, unknown> {
  const { spent, remaining } = task
  return {
    object: 'task',
    id: task.id,
    type: task.type,
    state: task.state,
    limits: showLimits(task.limits),
    spent: {
      ...usdOf('usd', spent.usd),
      tokens: spent.tokens,
      model_calls: spent.modelCalls,
      tool_calls: spent.toolCalls,
      write_calls: spent.writeCalls,
      seconds: spent.ms / 1000,
    },
    held_nano_usd: task.held,
    unresolved_nano_usd: task.unresolved,
    remaining_usd: remaining === undefined ? null : formatUsd(remaining),
    remaining_nano_usd: remaining ?? null,
    metadata: task.metadata,
    created_at: Math.floor(task.createdMs / 1000),
    attempts: task.attempts.map(({ id, state, model, upstream, atMs, held, cost, input, output }) => ({
      id,
      state,
      model,
      upstream,
      at: new Date(atMs).toISOString(),
      held_nano_usd: held,
      cost_usd: cost === undefined ? null : formatUsd(cost),
      cost_nano_usd: cost ?? null,
      tokens_in: input ?? null,
      tokens_out: output ?? null,
    })),
  }
}

function showLimits(limits: TaskLimits): Record<string, unknown> {
  return {
    ...(limits.usd === undefined ? {} : usdOf('max_usd', limits.usd)),
    max_tokens: limits.tokens,
    max_model_calls: limits.modelCalls,
    max_tool_calls: limits.toolCalls,
    max_write_calls: limits.writeCalls,
    max_seconds: limits.ms === undefined ? undefined : limits.ms / 1000,
    concurrency: limits.concurrency,
  }
}
