import type { TaskLimits, TaskTypeOptions } from '../../gateway/tasks.ts'
import { usdToNano } from '../../shared/money.ts'
import type { TaskType } from './task-limits.ts'
import { ToolNames } from './tool-names.ts'

/** The types in force, in integers. `writeTools` = tools that write, for types that name none of their own. */
export function taskTypes(
  options: Readonly<Record<string, TaskTypeOptions>>,
  writeTools: readonly string[] = [],
): ReadonlyMap<string, TaskType> {
  const shared = new ToolNames(writeTools)
  return new Map(Object.entries(options).map(([name, type]) => [name, taskType(name, type, shared)]))
}

function taskType(name: string, type: TaskTypeOptions, writeTools: ToolNames): TaskType {
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
  return {
    name,
    limits: given,
    writeTools: type.writeTools === undefined ? writeTools : new ToolNames(type.writeTools),
    onLimit: type.onLimit ?? 'pause',
    capAtLimit: type.capAtLimit,
    parkMs: (type.parkSeconds ?? 0) * 1000,
  }
}
