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
import { SwitchyardError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { addUsd, formatUsd, toNanoUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import type { Balance } from '../ledger/ledger.ts'
import type { LedgerPast } from '../upkeep/ledger-past.ts'
import { decodeTask, hasEnded, taskKey, type Task } from './task.ts'
import type { Tasks } from './tasks.ts'
import { usageRows, type UsageSources } from './usage-rows.ts'
import type { WaitingLines } from './waiting-line.ts'

/** Attempts that a task's page shows, the latest ones. */
const MOST_ATTEMPTS = 1000
/** Top-ups that are remembered per task, so that a repeated one is known. */
const MOST_TOP_UPS = 1000
export interface TaskDeskOptions extends UsageSources {
  readonly tasks: Tasks
  readonly ledger: {
    balance(book: string): Balance
    /** Resolves when all that was said so far is durable. */
    written(): Promise<void>
  }
  readonly history: LedgerPast
  readonly lines: WaitingLines
}

/** What people and programs do with tasks from outside of a request. */
export class TaskDesk implements TaskService {
  readonly #options: TaskDeskOptions

  constructor(options: TaskDeskOptions) {
    this.#options = options
  }

  async create(caller: Caller, wanted: NewTask): Promise<TaskView> {
    const { tasks } = this.#options
    const id = wanted.id ?? newId('task_')
    if (tasks.find(caller.tenant, id) !== undefined)
      throw new SwitchyardError('task_conflict', 'There is a task of this id already.', { param: 'id' })
    const { writeCalls } = wanted.limits
    if (writeCalls !== undefined && tasks.type(wanted.type ?? 'default').writeTools.size === 0)
      throw new SwitchyardError(
        'invalid_value',
        'Nobody has said which tools write, so that their calls cannot be counted: set writeTools of the task type or of budget in the configuration.',
        { param: 'limits.max_write_calls' },
      )
    const task = tasks.create(caller.tenant, id, wanted.type ?? 'default', wanted.limits)
    task.metadata = wanted.metadata
    task.askedUsd = wanted.limits.usd
    tasks.save(task)
    return this.#saved(task)
  }

  async get(tenant: string, id: string): Promise<TaskView> {
    return this.#saved(this.#options.tasks.get(tenant, id))
  }

  async list(
    tenant: string,
    state: TaskState | undefined,
    limit: number,
    after: string | undefined,
  ): Promise<readonly TaskView[]> {
    const { ledger, history, tasks } = this.#options
    await ledger.written()
    const prefix = taskKey(tenant, '')
    const found: TaskView[] = []
    let last = after === undefined ? prefix : taskKey(tenant, after)
    // States are decided when they are read, so that pages are filled here and not by the store.
    while (found.length < limit) {
      const texts = await history.documents('task', prefix, last, limit)
      for (const text of texts) {
        const stored = decodeTask(text)
        last = taskKey(tenant, stored.id)
        const task = tasks.peek(tenant, stored.id) ?? stored
        if (state === undefined || tasks.reportedState(task) === state) found.push(await this.#view(task, false))
        if (found.length === limit) break
      }
      if (texts.length < limit) break
    }
    return found
  }

  async topUp(tenant: string, id: string, { key, to, add }: TopUp): Promise<TaskView> {
    const task = this.#open(tenant, id)
    const asked = to === undefined ? `add ${add}` : `to ${to}`
    const before = task.topUps.get(key)
    if (before !== undefined) {
      if (before.asked === asked) return this.#saved(task)
      throw new SwitchyardError(
        'idempotency_conflict',
        'This Idempotency-Key was used with another top-up. Use a new key for a new one.',
        {
          param: 'Idempotency-Key',
        },
      )
    }
    const { usd } = task.limits
    if (usd === undefined)
      throw new SwitchyardError('task_conflict', 'The task has no limit of dollars that could be raised.', {
        param: 'max_usd',
      })
    const limit = raised(usd, to, add)
    task.limits = { ...task.limits, usd: limit }
    if (task.topUps.size >= MOST_TOP_UPS) task.topUps.delete(task.topUps.keys().next().value as string)
    task.topUps.set(key, { asked, limit })
    if (task.state === 'paused_budget' && !task.isPausedByHand) this.#options.tasks.move(task, 'running')
    return this.#released(task)
  }

  async pause(tenant: string, id: string): Promise<TaskView> {
    const task = this.#open(tenant, id)
    task.isPausedByHand = true
    this.#options.tasks.move(task, 'paused_budget')
    this.#options.tasks.save(task)
    return this.#saved(task)
  }

  async resume(tenant: string, id: string): Promise<TaskView> {
    const task = this.#open(tenant, id)
    task.isPausedByHand = false
    if (task.state === 'paused_budget') this.#options.tasks.move(task, 'running')
    return this.#released(task)
  }

  async cancel(tenant: string, id: string): Promise<TaskView> {
    const task = this.#options.tasks.get(tenant, id)
    // Repeated by a client that did not get the answer.
    if (task.state === 'cancelled') return this.#saved(task)
    this.#options.tasks.move(this.#open(tenant, id), 'cancelled')
    return this.#saved(task)
  }

  /** Ends a task. One that ended without a check may be judged later: that is how silent failures become known. */
  async complete(tenant: string, id: string, completion: Completion): Promise<TaskView> {
    const { outcome, quality, hasPassed, toolCalls } = completion
    const task = this.#options.tasks.get(tenant, id)
    const state =
      outcome === 'failure' || hasPassed === false
        ? 'failed'
        : hasPassed === true && outcome === 'success'
          ? 'completed'
          : 'completed_unverified'
    if (task.state === state) return this.#saved(task)
    const isJudgedLater = task.state === 'completed_unverified' && hasPassed !== undefined
    if (!isJudgedLater) this.#open(tenant, id)
    task.quality = quality
    task.completion = completion
    task.toolCalls = Math.max(task.toolCalls, toolCalls ?? 0)
    this.#options.tasks.move(task, state)
    return this.#saved(task)
  }

  async usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    await this.#options.ledger.written()
    return usageRows(query, this.#options)
  }

  /** Throws `task_ended` for one that has. */
  #open(tenant: string, id: string): Task {
    const task = this.#options.tasks.get(tenant, id)
    if (hasEnded(task)) throw new SwitchyardError('task_ended', `The task has ended (${task.state}).`)
    return task
  }

  /** Saved, and everybody who waits for it looks again. */
  async #released(task: Task): Promise<TaskView> {
    this.#options.tasks.save(task)
    const view = await this.#saved(task)
    this.#options.tasks.wake(task)
    this.#options.lines.freed(task.books.usd)
    return view
  }

  /** Told when it is durable: an answered top-up must not be forgotten by a crash. */
  async #saved(task: Task): Promise<TaskView> {
    await this.#options.ledger.written()
    return this.#view(task, true)
  }

  async #view(task: Task, withAttempts: boolean): Promise<TaskView> {
    const { tasks, ledger, history } = this.#options
    const money = ledger.balance(task.books.usd)
    return {
      id: task.id,
      type: task.type,
      state: tasks.reportedState(task),
      limits: task.limits,
      spent: {
        usd: toNanoUsd(money.settled),
        tokens: ledger.balance(task.books.tokens).settled,
        modelCalls: ledger.balance(task.books.calls).settled,
        toolCalls: task.toolCalls,
        writeCalls: task.writeIds.size,
        ms: task.startedMs === undefined ? 0 : Math.max(0, task.lastMs - task.startedMs),
      },
      held: toNanoUsd(money.held),
      unresolved: toNanoUsd(money.unresolved),
      remaining: tasks.remaining(task),
      metadata: task.metadata,
      createdMs: task.createdMs,
      attempts: withAttempts
        ? (await history.attemptsOf(task.tenant, task.id, MOST_ATTEMPTS)).map(({ hold, cost, ...attempt }) => ({
            ...attempt,
            held: attempt.state === 'settled' || attempt.state === 'voided' ? ZERO_USD : toNanoUsd(hold),
            cost: cost === undefined ? undefined : toNanoUsd(cost),
          }))
        : [],
    }
  }
}

function raised(usd: NanoUsd, to: NanoUsd | undefined, add: NanoUsd | undefined): NanoUsd {
  if (to === undefined) {
    try {
      return addUsd(usd, add ?? ZERO_USD)
    } catch {
      throw new SwitchyardError('decimal_above_max_value', 'The limit would leave what can be counted.', {
        param: 'add_usd',
      })
    }
  }
  if (to < usd) {
    throw new SwitchyardError(
      'decimal_below_min_value',
      `A top-up raises: the limit is ${formatUsd(usd)} USD already.`,
      {
        param: 'max_usd',
      },
    )
  }
  return to
}
