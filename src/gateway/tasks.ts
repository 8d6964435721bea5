/** What the task routes ask of the ledger's side: the interface behind `/v1/tasks` and `/v1/usage`. */
import type { NanoUsd } from '../shared/money.ts'
import type { Caller } from './steps.ts'

export const TASK_STATES = [
  'queued',
  'running',
  'waiting_approval',
  'paused_budget',
  'waiting_input',
  'reconciling',
  'completed',
  'completed_unverified',
  'failed',
  'stopped',
  'cancelled',
  'denied',
  'expired',
] as const
export type TaskState = (typeof TASK_STATES)[number]

/** Limits of a task; absent = none. Times are milliseconds since its first request. */
export interface TaskLimits {
  readonly usd?: NanoUsd
  readonly tokens?: number
  readonly modelCalls?: number
  readonly toolCalls?: number
  readonly writeCalls?: number
  readonly ms?: number
  readonly concurrency?: number
}

/** A task type as the configuration has it: dollars and seconds. Absent = no limit, or as for all types. */
export interface TaskTypeOptions {
  readonly maxUsd?: number | undefined
  readonly maxTokens?: number | undefined
  readonly maxModelCalls?: number | undefined
  readonly maxToolCalls?: number | undefined
  readonly maxWriteCalls?: number | undefined
  /** Names of tools whose calls write, `*` for any part of a name. */
  readonly writeTools?: readonly string[] | undefined
  readonly maxSeconds?: number | undefined
  readonly concurrency?: number | undefined
  readonly onLimit?: 'pause' | 'stop' | 'wrap_up' | undefined
  readonly capAtLimit?: 'lower' | 'refuse' | undefined
  readonly parkSeconds?: number | undefined
}

export interface TaskAttempt {
  readonly id: string
  readonly state: string
  readonly model: string
  readonly upstream: string
  /** Unix milliseconds. */
  readonly atMs: number
  readonly held: NanoUsd
  readonly cost: NanoUsd | undefined
  readonly input: number | undefined
  readonly output: number | undefined
}

export interface TaskView {
  readonly id: string
  readonly type: string
  readonly state: TaskState
  readonly limits: TaskLimits
  readonly spent: {
    readonly usd: NanoUsd
    readonly tokens: number
    readonly modelCalls: number
    readonly toolCalls: number
    readonly writeCalls: number
    readonly ms: number
  }
  readonly held: NanoUsd
  readonly unresolved: NanoUsd
  readonly remaining: NanoUsd | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly createdMs: number
  readonly attempts: readonly TaskAttempt[]
}

export interface NewTask {
  readonly id: string | undefined
  readonly type: string | undefined
  readonly limits: TaskLimits
  readonly metadata: Readonly<Record<string, string>>
}
export interface Completion {
  readonly outcome: 'success' | 'failure' | 'unknown'
  readonly quality: number | undefined
  /** Whether a check passed; undefined = none was made. */
  readonly hasPassed: boolean | undefined
  /** It was handed to a human. */
  readonly isEscalated: boolean
  /** Tool calls in all, where the last ones were not followed by a request that shows them; undefined = those that were seen. */
  readonly toolCalls: number | undefined
}
/** Either the new limit, or what is added to it. `key` makes it happen once. */
export interface TopUp {
  readonly key: string
  readonly to: NanoUsd | undefined
  readonly add: NanoUsd | undefined
}

export const USAGE_GROUPS = ['task_type', 'model', 'key', 'tenant', 'day'] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]
export interface UsageQuery {
  /** UTC days `YYYY-MM-DD`, both included; undefined = open. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly by: readonly UsageGroup[]
}
export interface UsageRow {
  readonly group: Readonly<Partial<Record<UsageGroup, string>>>
  readonly calls: number
  readonly input: number
  readonly output: number
  readonly settled: NanoUsd
  readonly held: NanoUsd
  readonly unresolved: NanoUsd
}

/** Every method throws a SwitchyardError for the caller: `task_not_found` also for another tenant's task. */
export interface TaskService {
  create(caller: Caller, task: NewTask): Promise<TaskView>
  get(tenant: string, id: string): Promise<TaskView>
  /** In the order of their ids, at most `limit` after the id `after`. */
  list(
    tenant: string,
    state: TaskState | undefined,
    limit: number,
    after: string | undefined,
  ): Promise<readonly TaskView[]>
  topUp(tenant: string, id: string, topUp: TopUp): Promise<TaskView>
  pause(tenant: string, id: string): Promise<TaskView>
  resume(tenant: string, id: string): Promise<TaskView>
  cancel(tenant: string, id: string): Promise<TaskView>
  complete(tenant: string, id: string, completion: Completion): Promise<TaskView>
  usage(query: UsageQuery): Promise<readonly UsageRow[]>
}
