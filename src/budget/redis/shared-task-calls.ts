import { RedisDown } from '../../store/redis-link.ts'
import { taskConcurrency } from '../tasks/task-concurrency.ts'
import { taskKey } from '../tasks/task.ts'
import { CallsUnderWay } from './calls-under-way.ts'
import { LEASE_MS } from './heart.ts'
import type { LimitScripts } from './limit-scripts.ts'
import { LEDGER_SCRIPTS } from './redis-scripts.ts'

/** A task whose calls at the same time are limited. */
export interface LimitedTask {
  readonly tenant: string
  readonly id: string
  readonly concurrency: number
}

/** Calls at the same time of a task, over all gateways: one script before a call and one after it, and none for tasks without that limit. */
export class SharedTaskCalls {
  readonly #scripts: LimitScripts
  readonly #calls = new CallsUnderWay()

  constructor(scripts: LimitScripts) {
    this.#scripts = scripts
  }

  /** Throws `task_concurrency` and RedisDown, and takes nothing then. */
  async enter({ tenant, id, concurrency }: LimitedTask): Promise<void> {
    const name = taskKey(tenant, id)
    const running = this.#calls.change(name, 1)
    try {
      const args = [String(LEASE_MS), String(concurrency), String(running), this.#calls.nextNumber()]
      const [kind] = await this.#scripts.ask(LEDGER_SCRIPTS.enter, tenant, id, args)
      if (kind === 'refused') throw taskConcurrency(concurrency)
    } catch (error) {
      this.#calls.change(name, -1)
      // It may have been taken.
      if (error instanceof RedisDown && error.mayHaveRun) void this.#tell(tenant, id)
      throw error
    }
  }

  /** The call is over. Exactly once per `enter` that took its place. */
  leave({ tenant, id }: LimitedTask): void {
    this.#calls.change(taskKey(tenant, id), -1)
    void this.#tell(tenant, id)
  }

  /** Never rejects: what cannot be told is told later. */
  async #tell(tenant: string, id: string): Promise<void> {
    const name = taskKey(tenant, id)
    try {
      await this.#scripts.tell(LEDGER_SCRIPTS.leave, tenant, id, [this.#calls.of(name), this.#calls.nextNumber()])
    } catch {
      this.#calls.again(name, () => void this.#tell(tenant, id))
    }
  }
}
