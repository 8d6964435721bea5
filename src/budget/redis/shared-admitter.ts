import type { Admission, Admitter, Call } from '../../gateway/steps.ts'
import type { Usage } from '../../protocol/answer.ts'
import { expectedTokens } from '../keys/key-admitter.ts'
import type { LimitedCall, SharedKeyLimits } from './shared-key-limits.ts'
import { translated, type SharedTasks } from './shared-tasks.ts'
import { SpendBooks } from '../spend-books.ts'

export interface SharedAdmitterOptions {
  readonly inner: Admitter
  readonly tasks: SharedTasks
  readonly limits: SharedKeyLimits
  readonly today: () => string
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * Brings a call's task and all its books up to date, and asks the limits of its key over all gateways, in one round trip, before it is
 * admitted. Throws `ledger_unavailable`.
 */
export class SharedAdmitter implements Admitter {
  readonly #options: SharedAdmitterOptions
  readonly #spend = new SpendBooks()

  constructor(options: SharedAdmitterOptions) {
    this.#options = options
  }

  async admit(call: Call): Promise<Admission> {
    const { inner, tasks, today, limits } = this.#options
    const books = this.#spend.of(call.caller, today()).books.map(({ book }) => book)
    const loading = tasks.load(call.caller.tenant, call.task.id, books)
    const limited = limitedCall(call)
    if (limited === undefined) {
      await loading
      return inner.admit(call)
    }
    const [admitted, loaded] = await Promise.allSettled([limits.admit(limited), loading])
    if (admitted.status === 'rejected') throw translated(admitted.reason)
    try {
      if (loaded.status === 'rejected') throw loaded.reason
      return await inner.admit(call)
    } catch (error) {
      this.#release(limited, call, undefined)
      throw error
    }
  }

  release(call: Call, admission: Admission, usage: Usage | undefined): void {
    this.#options.inner.release(call, admission, usage)
    const limited = limitedCall(call)
    if (limited !== undefined) this.#release(limited, call, usage)
  }

  #release(limited: LimitedCall, { startedMs }: Call, usage: Usage | undefined): void {
    const used = usage === undefined ? 0 : usage.input + usage.output
    this.#options.limits.release(limited, used, this.#options.now() - startedMs)
  }
}

function limitedCall(call: Call): LimitedCall | undefined {
  const { tenant, key, limiter } = call.caller
  return limiter === undefined ? undefined : { tenant, key, limits: limiter.limits, tokens: expectedTokens(call) }
}
