import type { Admission, Admitter, Call } from '../../gateway/steps.ts'
import type { Usage } from '../../protocol/answer.ts'
import { expectedTokens } from '../keys/key-admitter.ts'
import { SpendBooks } from '../spend-books.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { LimitedCall, SharedKeyLimits } from './shared-key-limits.ts'
import type { LimitedTask, SharedTaskCalls } from './shared-task-calls.ts'
import { translated, type SharedTasks } from './shared-tasks.ts'

export interface SharedAdmitterOptions {
  readonly inner: Admitter
  readonly store: SharedTasks
  /** What is known here of tasks. */
  readonly tasks: () => Pick<Tasks, 'peek' | 'concurrencyOf'>
  readonly limits: SharedKeyLimits
  readonly calls: SharedTaskCalls
  readonly today: () => string
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * Brings a call's task and all its books up to date, and asks the limits of its key and its task over all gateways, in one round trip,
 * before it is admitted; the first call of a task that comes to this gateway takes two. Throws `ledger_unavailable`.
 */
export class SharedAdmitter implements Admitter {
  readonly #options: SharedAdmitterOptions
  readonly #spend = new SpendBooks()
  /** Places that calls have taken in their tasks. */
  readonly #entered = new WeakMap<Call, LimitedTask>()

  constructor(options: SharedAdmitterOptions) {
    this.#options = options
  }

  async admit(call: Call): Promise<Admission> {
    const { inner, store, today, limits } = this.#options
    const books = this.#spend.of(call.caller, today()).books.map(({ book }) => book)
    const loading = store.load(call.caller.tenant, call.task.id, books)
    const limited = limitedCall(call)
    const [admitted, loaded, entered] = await Promise.allSettled([
      limited === undefined ? undefined : limits.admit(limited),
      loading,
      call.task.id === undefined ? undefined : this.#enter(call, call.task.id, loading),
    ])
    const failed = [admitted, loaded, entered].find((each) => each.status === 'rejected')
    try {
      if (failed !== undefined) throw translated(failed.reason)
      return await inner.admit(call)
    } catch (error) {
      this.#giveBack(call, admitted.status === 'fulfilled' ? limited : undefined, undefined)
      throw error
    }
  }

  release(call: Call, admission: Admission, usage: Usage | undefined): void {
    this.#options.inner.release(call, admission, usage)
    this.#giveBack(call, limitedCall(call), usage)
  }

  async #enter(call: Call, id: string, loading: Promise<void>): Promise<void> {
    const { tasks, calls } = this.#options
    const { tenant } = call.caller
    // A task that is new here may have been made elsewhere, with limits of its own.
    if (tasks().peek(tenant, id) === undefined) await loading
    const concurrency = tasks().concurrencyOf(call, id)
    if (concurrency === undefined) return
    const task = { tenant, id, concurrency }
    await calls.enter(task)
    this.#entered.set(call, task)
  }

  #giveBack(call: Call, limited: LimitedCall | undefined, usage: Usage | undefined): void {
    const { limits, calls, now } = this.#options
    const used = usage === undefined ? 0 : usage.input + usage.output
    if (limited !== undefined) limits.release(limited, used, now() - call.startedMs)
    const task = this.#entered.get(call)
    if (task !== undefined) calls.leave(task)
  }
}

function limitedCall(call: Call): LimitedCall | undefined {
  const { tenant, key, limiter } = call.caller
  return limiter === undefined ? undefined : { tenant, key, limits: limiter.limits, tokens: expectedTokens(call) }
}
