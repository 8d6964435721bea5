import { addUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import { TASK_OUTCOMES, type TaskOutcome, type TaskRecord } from './task-record.ts'

/** Figures of any group of tasks; undefined where there is nothing to take them from. Means are not rounded. */
export interface GroupFigures {
  readonly tasks: number
  readonly cost: NanoUsd
  /** Of this, what unresolved attempts may have cost at most. */
  readonly unresolved: NanoUsd
  readonly costPerTask: number | undefined
  readonly costP50: NanoUsd | undefined
  readonly costP95: NanoUsd | undefined
  readonly costMax: NanoUsd | undefined
  readonly toolCallsMean: number | undefined
  readonly toolCallsP95: number | undefined
  readonly writeCallsMean: number | undefined
  readonly modelCallsMean: number | undefined
  /** Over the tasks whose attempts are all kept. */
  readonly inputTokensMean: number | undefined
  readonly outputTokensMean: number | undefined
  readonly secondsMean: number | undefined
}
/** Figures of tasks of all outcomes. Rates are 0..1 of the tasks that have ended. */
export interface TaskFigures extends GroupFigures {
  readonly ended: number
  /** Ended as they should: `success` and `escalated_right`. */
  readonly completed: number
  readonly completionRate: number | undefined
  /** The cost of all tasks, the failed ones too, for each completed one. */
  readonly costPerCompletion: number | undefined
  /** Handed to a human, rightly or not. */
  readonly escalationRate: number | undefined
  /** As far as checks have found out. */
  readonly silentFailureRate: number | undefined
  /** Those that occur, in the order of `TASK_OUTCOMES`. */
  readonly outcomes: readonly (GroupFigures & { readonly outcome: TaskOutcome })[]
}
export interface TaskReport {
  readonly all: TaskFigures
  /** By name. */
  readonly types: readonly (TaskFigures & { readonly type: string })[]
}

/** Figures of all tasks and of each type. Throws RangeError where costs leave the safe integers. */
export function taskReport(tasks: readonly TaskRecord[]): TaskReport {
  const byType = Map.groupBy(tasks, ({ type }) => type)
  return {
    all: taskFigures(tasks),
    types: [...byType]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, members]) => ({ type, ...taskFigures(members) })),
  }
}

/** Whether a task ended as it should. */
export function isCompleted({ outcome }: Pick<TaskRecord, 'outcome'>): boolean {
  return outcome === 'success' || outcome === 'escalated_right'
}

/** Throws RangeError where the sum leaves the safe integers. */
export function sumOfCosts(all: readonly { readonly cost: NanoUsd }[]): NanoUsd {
  return all.reduce((sum, { cost }) => addUsd(sum, cost), ZERO_USD)
}

function taskFigures(tasks: readonly TaskRecord[]): TaskFigures {
  const byOutcome = Map.groupBy(tasks, ({ outcome }) => outcome)
  const count = (...outcomes: readonly TaskOutcome[]): number =>
    outcomes.reduce((sum, outcome) => sum + (byOutcome.get(outcome)?.length ?? 0), 0)
  const figures = groupFigures(tasks)
  const ended = tasks.length - count('open')
  const completed = tasks.filter(isCompleted).length
  return {
    ...figures,
    ended,
    completed,
    completionRate: ratio(completed, ended),
    costPerCompletion: ratio(figures.cost, completed),
    escalationRate: ratio(count('escalated', 'escalated_right', 'escalated_wrong'), ended),
    silentFailureRate: ratio(count('silent_failure'), ended),
    outcomes: TASK_OUTCOMES.flatMap((outcome) => {
      const members = byOutcome.get(outcome)
      return members === undefined ? [] : [{ outcome, ...groupFigures(members) }]
    }),
  }
}

function groupFigures(tasks: readonly TaskRecord[]): GroupFigures {
  const cost = sumOfCosts(tasks)
  const costs = tasks.map((task) => task.cost)
  const toolCalls = tasks.map((task) => task.toolCalls)
  return {
    tasks: tasks.length,
    cost,
    unresolved: tasks.reduce((sum, { unresolved }) => addUsd(sum, unresolved), ZERO_USD),
    costPerTask: ratio(cost, tasks.length),
    costP50: nearestRank(costs, 0.5),
    costP95: nearestRank(costs, 0.95),
    costMax: nearestRank(costs, 1),
    toolCallsMean: mean(toolCalls),
    toolCallsP95: nearestRank(toolCalls, 0.95),
    writeCallsMean: mean(tasks.map(({ writeCalls }) => writeCalls)),
    modelCallsMean: mean(tasks.map(({ modelCalls }) => modelCalls)),
    inputTokensMean: mean(tasks.map(({ inputTokens }) => inputTokens)),
    outputTokensMean: mean(tasks.map(({ outputTokens }) => outputTokens)),
    secondsMean: mean(tasks.map(({ seconds }) => seconds)),
  }
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return ratio(
    known.reduce((sum, value) => sum + value, 0),
    known.length,
  )
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole
}

/** The smallest value that is not below a share of all: always one that occurred, so that amounts stay whole. */
function nearestRank<T extends number>(values: readonly T[], share: number): T | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)]
}
