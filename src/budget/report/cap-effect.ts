import { addUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import type { TaskRecord } from './task-record.ts'
import { isCompleted } from './task-report.ts'

/** Limits that tasks might have had. Absent = none. */
export interface Caps {
  readonly toolCalls?: number
  readonly usd?: NanoUsd
}

/** What limits would have done to tasks of the past. */
export interface CapEffect {
  readonly tasks: number
  /** Tasks that used more than a cap in all. */
  readonly above: number
  readonly completedAbove: number
  /** Of these, those with a model call that would have been refused: what a task did after its last call nobody could stop. */
  readonly stopped: number
  /** Stopped tasks that ended as they should, without the cap: its price. */
  readonly completedStopped: number
  /** Cost of the calls that would not have been made. */
  readonly saved: NanoUsd
  /** Tasks above a cap whose attempts are not kept any more: whether they would have been stopped, and what it saved, is not known. */
  readonly unknown: number
}

/**
 * Plays caps over recorded tasks. As the service does, a call is refused once the task has made more than the allowed tool calls; for
 * dollars it is the first call whose true cost does not fit. (The service looks at the worst case of a call, so that it stops some tasks
 * one call earlier.)
 */
export function capEffect(tasks: readonly TaskRecord[], caps: Caps): CapEffect {
  const toolCallsMost = caps.toolCalls ?? Infinity
  const usdMost = caps.usd ?? Infinity
  let above = 0
  let completedAbove = 0
  let stopped = 0
  let completedStopped = 0
  let unknown = 0
  let saved = ZERO_USD
  for (const task of tasks) {
    if (task.toolCalls <= toolCallsMost && task.cost <= usdMost) continue
    above += 1
    const done = isCompleted(task) ? 1 : 0
    completedAbove += done
    if (task.calls === undefined) {
      unknown += 1
      continue
    }
    let spent = ZERO_USD
    let isStopped = false
    for (const { cost, toolCalls } of task.calls) {
      isStopped ||= toolCalls > toolCallsMost || spent + cost > usdMost
      if (isStopped) saved = addUsd(saved, cost)
      else spent = addUsd(spent, cost)
    }
    if (!isStopped) continue
    stopped += 1
    completedStopped += done
  }
  return { tasks: tasks.length, above, completedAbove, stopped, completedStopped, saved, unknown }
}
