import type { TaskLimits } from '../gateway/tasks.ts'
import { usdToNano } from '../shared/money.ts'
import type { TaskType } from './task-limits.ts'

/** A task type as the configuration has it: dollars and seconds. */
export interface TaskTypeOptions {
  readonly maxUsd?: number | undefined
  readonly maxTokens?: number | undefined
  readonly maxModelCalls?: number | undefined
  readonly maxToolCalls?: number | undefined
  readonly maxWriteCalls?: number | undefined
  readonly maxSeconds?: number | undefined
  readonly concurrency?: number | undefined
  readonly onLimit?: 'pause' | 'stop' | 'wrap_up' | undefined
  readonly parkSeconds?: number | undefined
}

/** The types in force, in integers. */
export function taskTypes(options: Readonly<Record<string, TaskTypeOptions>>): ReadonlyMap<string, TaskType> {
  return new Map(Object.entries(options).map(([name, type]) => [name, taskType(name, type)]))
}

function taskType(name: string, type: TaskTypeOptions): TaskType {
  const limits: Record<keyof TaskLimits, number | undefined> = {
    usd: type.maxUsd === undefined ? undefined : usdToNano(type.maxUsd),
    tokens: type.maxTokens,
    modelCalls: type.maxModelCalls,
    toolCalls: type.maxToolCalls,
    writeCalls: type.maxWriteCalls,
    ms: type.maxSeconds === undefined ? undefined : type.maxSeconds * 1000,
    concurrency: type.concurrency,
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
  return { name, limits: given, onLimit: type.onLimit ?? 'pause', parkMs: (type.parkSeconds ?? 0) * 1000 }
}
