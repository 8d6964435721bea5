import type { Admission, Admitter, Call } from '../gateway/steps.ts'
import type { Usage } from '../protocol/answer.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { atLimit } from './at-limit.ts'
import { taskConcurrency } from './tasks/task-concurrency.ts'
import { LIMIT_PARAMS } from './tasks/task-limits.ts'
import { hasEnded, type Task } from './tasks/task.ts'
import type { Tasks } from './tasks/tasks.ts'

/** An admission with its task, for the ledger. */
export interface BudgetAdmission extends Admission {
  readonly task?: Task
  /** The last request of its task: served without tools, beyond limits of calls and time. */
  isWrapUp?: boolean
}

/** Admits a call within its key's limits and its task's state, time, tool calls and concurrency. Money is the ledger's. */
export class BudgetAdmitter implements Admitter {
  readonly #keys: Admitter
  readonly #tasks: Tasks

  constructor(keys: Admitter, tasks: Tasks) {
    this.#keys = keys
    this.#tasks = tasks
  }

  admit(call: Call): Admission | Promise<Admission> {
    // A call without a task is checked by the books of its key and tenant alone.
    if (call.task.id === undefined) return this.#keys.admit(call)
    return this.#admitToTask(call, call.task.id)
  }

  release(call: Call, admission: BudgetAdmission, usage: Usage | undefined): void {
    this.#keys.release(call, admission, usage)
    const { task } = admission
    if (task === undefined) return
    task.running -= 1
    this.#tasks.answered(task, call)
    if (admission.isWrapUp === true && !hasEnded(task)) {
      task.wrapUp = 'used'
      this.#tasks.move(task, 'stopped')
    }
  }

  async #admitToTask(call: Call, id: string): Promise<BudgetAdmission> {
    const base = await this.#keys.admit(call)
    let task: Task | undefined
    try {
      task = this.#tasks.enter(call, id)
      task.running += 1
      const isWrapUp = await this.#check(call, task)
      const entered = task
      return {
        ...base,
        taskId: id,
        taskType: this.#tasks.type(task.type).name === task.type ? task.type : 'other',
        task,
        standing: { spent: () => this.#tasks.spent(entered), remaining: () => this.#tasks.remaining(entered) },
        ...(isWrapUp ? { isWrapUp } : {}),
      }
    } catch (thrown) {
      if (task !== undefined) task.running -= 1
      this.#keys.release(call, base, undefined)
      throw thrown
    }
  }

  /** Whether the call is the task's last. Throws a refusal. */
  async #check(call: Call, task: Task): Promise<boolean> {
    for (;;) {
      call.signal.throwIfAborted()
      const { concurrency } = task.limits
      if (concurrency !== undefined && task.running > concurrency) throw taskConcurrency(concurrency)
      const error = task.isPausedByHand
        ? new SwitchyardError('task_limit_reached', 'The task is paused. It goes on after "resume".', {
            param: 'paused',
          })
        : this.#limitReached(task)
      if (error === undefined) return false
      if (task.isPausedByHand) {
        if (await this.#tasks.park(task, call)) continue
        throw error
      }
      if ((await atLimit(this.#tasks, task, call, error)) === 'wrap-up') return true
    }
  }

  #limitReached(task: Task): SwitchyardError | undefined {
    const { toolCalls, writeCalls, ms } = task.limits
    if (toolCalls !== undefined && task.toolCalls > toolCalls)
      return reached('toolCalls', `The task has made ${task.toolCalls} tool calls of the ${toolCalls} it may make.`)
    const writes = task.writeIds.size
    if (writeCalls !== undefined && writes > writeCalls)
      return reached(
        'writeCalls',
        `The task has made ${writes} calls of tools that write, of the ${writeCalls} it may make.`,
      )
    const age = this.#tasks.ageMs(task)
    if (ms !== undefined && age > ms)
      return reached('ms', `The task runs for ${Math.ceil(age / 1000)} s of the ${ms / 1000} s it may run.`)
    return undefined
  }
}

function reached(limit: keyof typeof LIMIT_PARAMS, sentence: string): SwitchyardError {
  return new SwitchyardError('task_limit_reached', sentence, { param: LIMIT_PARAMS[limit] })
}
