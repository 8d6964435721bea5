import type { TaskLimits, TaskState } from '../../gateway/tasks.ts'
import { addUsd, type NanoUsd } from '../../shared/money.ts'
import { lowered } from '../tasks/task-limits.ts'
import { hasEnded, type Task } from '../tasks/task.ts'

const WRAP_UPS: readonly Task['wrapUp'][] = ['none', 'given', 'used']

/**
 * Joins what two gateways did to one task at the same time. Nothing that was granted once is lost or granted twice, a lowered limit stays
 * lowered, and an end stays an end.
 * @param base What both began with; undefined where both made the task.
 */
export function mergeTask(base: Task | undefined, mine: Task, theirs: Task): Task {
  const changed = <Name extends keyof Task>(name: Name): Task[Name] =>
    base === undefined || mine[name] === base[name] ? theirs[name] : mine[name]
  const wrapUp = WRAP_UPS[Math.max(WRAP_UPS.indexOf(mine.wrapUp), WRAP_UPS.indexOf(theirs.wrapUp))] ?? 'none'
  return {
    ...theirs,
    state: stateOf(base, mine, theirs),
    isPausedByHand: changed('isPausedByHand'),
    limits: limitsOf(base, mine, theirs),
    askedUsd: least(mine.askedUsd, theirs.askedUsd),
    metadata: sameJson(mine.metadata, base?.metadata ?? mine.metadata) ? theirs.metadata : mine.metadata,
    startedMs: least(mine.startedMs, theirs.startedMs),
    lastMs: Math.max(mine.lastMs, theirs.lastMs),
    toolCalls: theirs.toolCalls + [...mine.toolIds].filter((id) => !theirs.toolIds.has(id)).length,
    toolIds: new Set([...theirs.toolIds, ...mine.toolIds]),
    writeIds: new Set([...theirs.writeIds, ...mine.writeIds]),
    topUps: new Map([...mine.topUps, ...theirs.topUps]),
    wrapUp,
    quality: changed('quality'),
    isCounted: mine.isCounted || theirs.isCounted,
    answers: mine.answers,
    prompts: mine.prompts,
    running: mine.running,
  }
}

function stateOf(base: Task | undefined, mine: Task, theirs: Task): TaskState {
  if (hasEnded(theirs) || base === undefined || mine.state === base.state) return theirs.state
  // A top-up there and a pause for want of money here: the next request looks at the books anew.
  const isTopUpTheirs = theirs.topUps.size > base.topUps.size
  return mine.state === 'paused_budget' && isTopUpTheirs && !mine.isPausedByHand ? theirs.state : mine.state
}

function limitsOf(base: Task | undefined, mine: Task, theirs: Task): TaskLimits {
  const limits =
    base === undefined ? lowered(theirs.limits, mine.limits) : joined(base.limits, mine.limits, theirs.limits)
  const granted = [...mine.topUps].filter(([key]) => !theirs.topUps.has(key))
  if (granted.length === 0) return limits
  const isUntouched =
    base !== undefined && theirs.limits.usd === base.limits.usd && theirs.topUps.size === base.topUps.size
  // What stands here holds the top-ups already, unless something happened there too: then they are made again on top of that.
  let usd = isUntouched ? mine.limits.usd : theirs.limits.usd
  if (!isUntouched) for (const [, { asked }] of granted) usd = raised(usd, asked)
  return { ...limits, ...(usd === undefined ? {} : { usd }) }
}

function joined(base: TaskLimits, mine: TaskLimits, theirs: TaskLimits): TaskLimits {
  const result: Record<string, number> = { ...theirs }
  for (const [name, value] of Object.entries(mine)) {
    const before = base[name as keyof TaskLimits]
    const other = theirs[name as keyof TaskLimits]
    // Only a lowered limit is a change of ours; a raised one is a top-up, and told apart from this.
    if (value === before || (before !== undefined && value > before)) continue
    result[name] = other === undefined ? value : Math.min(value, other)
  }
  return result
}

/** A top-up as TaskDesk writes it down: `add N` or `to N`. */
function raised(usd: NanoUsd | undefined, asked: string): NanoUsd | undefined {
  const [verb, amount] = asked.split(' ')
  const nano = Number(amount) as NanoUsd
  if (usd === undefined) return undefined
  return verb === 'add' ? addUsd(usd, nano) : (Math.max(usd, nano) as NanoUsd)
}

function least<T extends number>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined) return b
  return b === undefined || a < b ? a : b
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
