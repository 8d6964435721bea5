import type { Call } from '../../gateway/steps.ts'
import type { TaskLimits, TaskState } from '../../gateway/tasks.ts'
import { SwitchyardError } from '../../shared/errors.ts'
import { ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import { answeredTools } from './answered-tools.ts'
import type { Balance } from '../ledger/ledger.ts'
import { lowered, type TaskType } from './task-limits.ts'
import { decodeTask, encodeTask, hasEnded, newTask, taskKey, type Task } from './task.ts'
import { WaitingLines } from './waiting-line.ts'

/** How old the time of a task's last request may be in the file, ms: it decides about idleness only. */
const WRITE_EVERY_MS = 60_000
const DOCUMENT = 'task'

/** A call of a tool that a client made between two of its requests. */
export interface TaskToolCall {
  readonly name: string
  /** The model's own JSON text. */
  readonly arguments: string
  /** From the end of the answer that asked for it to the request that brings its result; undefined where that answer is not known here. */
  readonly ms: number | undefined
}

/** Where tasks are kept and their books stand. */
export interface TaskStore {
  read(kind: string, id: string): string | undefined
  write(kind: string, id: string, text: string): void
  balance(book: string): Balance
}

export interface TasksOptions {
  readonly store: TaskStore
  /** Types in force; `default` is among them. */
  readonly types: () => ReadonlyMap<string, TaskType>
  /** Unix milliseconds. */
  readonly wallNow: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly idleMs: () => number
  /** A task reached an end, or was idle for so long that it counts as ended. */
  readonly onEnd: (task: Task, outcome: TaskState, cost: NanoUsd) => void
  /** A task entered this state. */
  readonly onState: (state: TaskState) => void
  /** A transcript shows that a tool of the task has answered. Absent = nobody wants to know. */
  readonly onTool?: ((task: Task, tool: TaskToolCall) => void) | undefined
}

/** The tasks of all tenants: found, made, kept and moved from state to state. */
export class Tasks {
  readonly #options: TasksOptions
  readonly #known = new Map<string, Task>()
  /** Requests of paused tasks that wait for a top-up, by the task's money book. */
  readonly #parked = new WaitingLines()

  constructor(options: TasksOptions) {
    this.#options = options
  }

  /** The type of that name, or `default`. */
  type(name: string): TaskType {
    const types = this.#options.types()
    return types.get(name) ?? (types.get('default') as TaskType)
  }

  find(tenant: string, id: string): Task | undefined {
    const key = taskKey(tenant, id)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const text = this.#options.store.read(DOCUMENT, key)
    if (text === undefined) return undefined
    const task = decodeTask(text)
    this.#known.set(key, task)
    return task
  }

  /** The task if it is in memory, where it may be newer than what is written. */
  peek(tenant: string, id: string): Task | undefined {
    return this.#known.get(taskKey(tenant, id))
  }

  /** Takes over what another gateway has written of a task that is in memory here; whoever waits for it looks again. */
  adopt(text: string): void {
    const theirs = decodeTask(text)
    const known = this.peek(theirs.tenant, theirs.id)
    if (known === undefined) return
    const { running, answers, prompts } = known
    Object.assign(known, theirs, { running, answers, prompts })
    this.wake(known)
  }

  /** Tasks that are in memory. */
  known(): readonly Task[] {
    return [...this.#known.values()]
  }

  /** Paused tasks with requests under way here: these wait for somebody to raise a limit. */
  waiting(): readonly Task[] {
    return [...this.#known.values()].filter((task) => task.running > 0 && task.state === 'paused_budget')
  }

  /** Throws `task_not_found`, for another tenant's task too. */
  get(tenant: string, id: string): Task {
    const task = this.find(tenant, id)
    if (task === undefined) throw new SwitchyardError('task_not_found', 'There is no task of this id.', { param: 'id' })
    return task
  }

  /** How many calls of it may run at the same time: of a task that is here, or of one that this call would make. */
  concurrencyOf(call: Call, id: string): number | undefined {
    const task = this.find(call.caller.tenant, id)
    return (task ?? this.type(call.task.type ?? 'default')).limits.concurrency
  }

  create(tenant: string, id: string, type: string, wanted: TaskLimits): Task {
    const task = newTask(tenant, id, type, lowered(this.type(type).limits, wanted), this.#options.wallNow())
    this.#known.set(taskKey(tenant, id), task)
    this.save(task)
    this.#options.onState(task.state)
    return task
  }

  /** The task of a call that names one, made where it is new, with what the call's headers lower and its transcript counts. */
  enter(call: Call, id: string): Task {
    const { budgetUsd, maxToolCalls, deadlineMs, type } = call.task
    const task = this.find(call.caller.tenant, id) ?? this.create(call.caller.tenant, id, type ?? 'default', {})
    if (hasEnded(task)) {
      throw new SwitchyardError(
        'task_ended',
        `The task has ended (${task.state}). Start another one for further requests.`,
      )
    }
    if (budgetUsd !== undefined && (task.askedUsd === undefined || budgetUsd < task.askedUsd)) {
      task.askedUsd = budgetUsd
      this.#lower(task, { usd: budgetUsd })
    }
    if (maxToolCalls !== undefined) this.#lower(task, { toolCalls: maxToolCalls })
    if (deadlineMs !== undefined) this.#lower(task, { ms: deadlineMs })
    const answered = this.#noteTools(task, call)
    task.toolCalls += answered
    const nowMs = this.#options.wallNow()
    // The first request starts the clock. A clock that steps back must not give time back.
    const isFirst = task.startedMs === undefined
    task.startedMs ??= nowMs
    task.lastMs = Math.max(task.lastMs, nowMs)
    if (isFirst || answered > 0 || task.lastMs - task.writtenMs > WRITE_EVERY_MS) this.save(task)
    return task
  }

  /** The call's answer is over: the tools that it asked for run from now on. */
  answered(task: Task, { request }: Call): void {
    if (this.#options.onTool !== undefined) task.answers.note(request.messages, this.#options.now())
  }

  /** Milliseconds since the task's first request; 0 before it. */
  ageMs(task: Task): number {
    return task.startedMs === undefined
      ? 0
      : Math.max(0, Math.max(task.lastMs, this.#options.wallNow()) - task.startedMs)
  }

  save(task: Task): void {
    task.writtenMs = task.lastMs
    this.#options.store.write(DOCUMENT, taskKey(task.tenant, task.id), encodeTask(task))
  }

  move(task: Task, state: TaskState): void {
    if (task.state === state) return
    task.state = state
    this.save(task)
    this.#options.onState(state)
    if (hasEnded(task)) {
      this.#count(task, state)
      this.wake(task)
    }
  }

  /** The state as it is reported: a task that nobody has used for a while is taken for finished, unverified. */
  reportedState(task: Task): TaskState {
    const isIdle = task.state === 'running' && task.running === 0 && this.#isIdle(task)
    return isIdle ? 'completed_unverified' : task.state
  }

  spent(task: Task): NanoUsd {
    return this.#options.store.balance(task.books.usd).settled as NanoUsd
  }

  /** Limit less what is settled, held and unresolved; undefined = no limit. */
  remaining(task: Task): NanoUsd | undefined {
    if (task.limits.usd === undefined) return undefined
    const { settled, held, unresolved } = this.#options.store.balance(task.books.usd)
    return Math.max(ZERO_USD, task.limits.usd - settled - held - unresolved) as NanoUsd
  }

  /** Waits until the task is topped up, resumed or ended, at most until the call has been parked as long as its type allows. */
  async park(task: Task, call: Call): Promise<boolean> {
    const leftMs = call.startedMs + this.type(task.type).parkMs - this.#options.now()
    if (leftMs <= 0) return false
    const place = this.#parked.join(task.books.usd)
    const isWoken = await place.wait(leftMs, call.signal)
    place.leave()
    return isWoken
  }

  /** Lets parked requests look again. */
  wake(task: Task): void {
    this.#parked.freed(task.books.usd)
  }

  /** Counts tasks that have become idle and drops what nobody uses out of memory. */
  sweep(): ReadonlySet<string> {
    const gone = new Set<string>()
    for (const [key, task] of this.#known) {
      if (task.running > 0 || !this.#isIdle(task)) continue
      if (task.state === 'running') this.#count(task, 'completed_unverified')
      if (task.writtenMs < task.lastMs) this.save(task)
      this.#known.delete(key)
      for (const book of Object.values(task.books)) gone.add(book)
    }
    return gone
  }

  /** Drops tasks out of memory without writing them down. */
  drop(isGone: (task: Task) => boolean): void {
    for (const [key, task] of this.#known) if (isGone(task)) this.#known.delete(key)
  }

  /** Tasks of a tenant with requests under way. */
  running(tenant: string): readonly Task[] {
    return [...this.#known.values()].filter((task) => task.tenant === tenant && task.running > 0)
  }

  /** Takes up which tools have answered since the last request; returns how many did. */
  #noteTools(task: Task, call: Call): number {
    const { messages } = call.request
    const answered = answeredTools(messages, task.toolIds)
    if (answered.length === 0) return 0
    const { writeTools } = this.type(task.type)
    const { onTool } = this.#options
    for (const { key, call: asked, askedAt } of answered) {
      if (asked === undefined) continue
      if (writeTools.has(asked.name)) task.writeIds.add(key)
      if (onTool === undefined) continue
      const endedMs = askedAt === undefined ? undefined : task.answers.of(messages, askedAt)
      const ms = endedMs === undefined ? undefined : Math.max(0, call.startedMs - endedMs)
      onTool(task, { name: asked.name, arguments: asked.arguments, ms })
    }
    return answered.length
  }

  #isIdle(task: Task): boolean {
    return this.#options.wallNow() - task.lastMs >= this.#options.idleMs()
  }

  #lower(task: Task, wanted: TaskLimits): void {
    const limits = lowered(task.limits, wanted)
    if (Object.entries(limits).every(([name, value]) => task.limits[name as keyof TaskLimits] === value)) return
    task.limits = limits
    this.save(task)
  }

  #count(task: Task, outcome: TaskState): void {
    if (task.isCounted) return
    task.isCounted = true
    this.save(task)
    // An idle task is only reported as ended, and moves nowhere.
    if (task.state !== outcome) this.#options.onState(outcome)
    this.#options.onEnd(task, outcome, this.spent(task))
  }
}
