import type { Caller } from '../../gateway/steps.ts'
import type {
  Completion,
  NewTask,
  TaskService,
  TaskState,
  TaskView,
  TopUp,
  UsageQuery,
  UsageRow,
} from '../../gateway/tasks.ts'
import { newId } from '../../shared/ids.ts'
import type { SharedTasks } from './shared-tasks.ts'

/** Brings a task up to date before anything is done with it. Every method throws `ledger_unavailable` where that is not possible. */
export class SharedTaskService implements TaskService {
  readonly #inner: TaskService
  readonly #tasks: SharedTasks

  constructor(inner: TaskService, tasks: SharedTasks) {
    this.#inner = inner
    this.#tasks = tasks
  }

  async create(caller: Caller, wanted: NewTask): Promise<TaskView> {
    const id = wanted.id ?? newId('task_')
    await this.#tasks.load(caller.tenant, id)
    return this.#inner.create(caller, { ...wanted, id })
  }

  async get(tenant: string, id: string): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.get(tenant, id)
  }

  async list(
    tenant: string,
    state: TaskState | undefined,
    limit: number,
    after: string | undefined,
  ): Promise<readonly TaskView[]> {
    const views = await this.#inner.list(tenant, state, limit, after)
    // Their money is what this process saw last: read it now.
    return Promise.all(views.map(({ id }) => this.get(tenant, id)))
  }

  async topUp(tenant: string, id: string, topUp: TopUp): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.topUp(tenant, id, topUp)
  }

  async pause(tenant: string, id: string): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.pause(tenant, id)
  }

  async resume(tenant: string, id: string): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.resume(tenant, id)
  }

  async cancel(tenant: string, id: string): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.cancel(tenant, id)
  }

  async complete(tenant: string, id: string, completion: Completion): Promise<TaskView> {
    await this.#tasks.load(tenant, id)
    return this.#inner.complete(tenant, id, completion)
  }

  usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#inner.usage(query)
  }
}
