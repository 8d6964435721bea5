import type { Call } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import type { Task } from './tasks/task.ts'
import type { Tasks } from './tasks/tasks.ts'

/**
 * What happens to a call whose task is at a limit. `again` = the limit may have been raised, look once more; `wrap-up` = this call is
 * the task's last one, to be served without tools. Throws `error` where the call is refused.
 */
export async function atLimit(
  tasks: Tasks,
  task: Task,
  call: Call,
  error: SwitchyardError,
): Promise<'again' | 'wrap-up'> {
  const { onLimit, parkMs } = tasks.type(task.type)
  if (onLimit === 'wrap_up' && task.wrapUp === 'none') {
    task.wrapUp = 'given'
    tasks.save(task)
    return 'wrap-up'
  }
  // The last request is under way; its end stops the task.
  if (onLimit === 'wrap_up' && task.wrapUp === 'given' && task.running > 1) throw error
  if (onLimit !== 'pause') {
    tasks.move(task, 'stopped')
    throw error
  }
  tasks.move(task, 'paused_budget')
  if (parkMs > 0 && (await tasks.park(task, call))) {
    if (task.state === 'stopped' || task.state === 'cancelled')
      throw new SwitchyardError(
        'task_ended',
        `The task has ended (${task.state}). Start another one for further requests.`,
      )
    return 'again'
  }
  throw error
}
