import type { Admission, Admitter, Call } from '../gateway/steps.ts'
import type { Usage } from '../protocol/answer.ts'
import type { SharedTasks } from './shared-tasks.ts'
import { SpendBooks } from './spend-books.ts'

/** Brings a call's task and all its books up to date, in one round trip, before it is admitted. Throws `ledger_unavailable`. */
export class SharedAdmitter implements Admitter {
  readonly #inner: Admitter
  readonly #tasks: SharedTasks
  readonly #today: () => string
  readonly #spend = new SpendBooks()

  constructor(inner: Admitter, tasks: SharedTasks, today: () => string) {
    this.#inner = inner
    this.#tasks = tasks
    this.#today = today
  }

  async admit(call: Call): Promise<Admission> {
    const books = this.#spend.of(call.caller, this.#today()).books.map(({ book }) => book)
    await this.#tasks.load(call.caller.tenant, call.task.id, books)
    return this.#inner.admit(call)
  }

  release(call: Call, admission: Admission, usage: Usage | undefined): void {
    this.#inner.release(call, admission, usage)
  }
}
