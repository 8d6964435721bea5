import type { TaskLimits } from '../../gateway/tasks.ts'

import type { ToolNames } from './tool-names.ts'

export type OnLimit = 'pause' | 'stop' | 'wrap_up'
/** What becomes of a caller's output cap that does not fit what is left: a smaller one is sent, or the request is refused. */
export type CapAtLimit = 'lower' | 'refuse'

/** What tasks of one type may use, and what happens at a limit. */
export interface TaskType {
  readonly name: string
  readonly limits: TaskLimits
  /** Tools whose calls count as write calls. */
  readonly writeTools: ToolNames
  readonly onLimit: OnLimit
  /** Undefined = as `budget.capAtLimit` says. */
  readonly capAtLimit?: CapAtLimit | undefined
  /** How long the requests of a paused task wait for a top-up, ms; 0 = not at all. */
  readonly parkMs: number
}

const NAMES = ['usd', 'tokens', 'modelCalls', 'toolCalls', 'writeCalls', 'ms', 'concurrency'] as const

/** Limits as the operator and the caller know them: names in answers and in `error.param`. */
export const LIMIT_PARAMS: Readonly<Record<(typeof NAMES)[number], string>> = {
  usd: 'max_usd',
  tokens: 'max_tokens',
  modelCalls: 'max_model_calls',
  toolCalls: 'max_tool_calls',
  writeCalls: 'max_write_calls',
  ms: 'max_seconds',
  concurrency: 'concurrency',
}

/** The lower of both, limit by limit: a caller may lower what its task's type allows and never raise it. */
export function lowered(limits: TaskLimits, wanted: TaskLimits): TaskLimits {
  const result: Record<string, number> = {}
  for (const name of NAMES) {
    const [a, b] = [limits[name], wanted[name]]
    const lower = a === undefined ? b : b === undefined ? a : Math.min(a, b)
    if (lower !== undefined) result[name] = lower
  }
  return result
}
