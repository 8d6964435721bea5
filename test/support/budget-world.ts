/** Tasks and the budget ledger over a journal in memory, with a clock that tests move and bounds that they name. */
import type { BoundOf } from '../../src/budget/hold/bound-of.ts'
import { BudgetAdmitter } from '../../src/budget/budget-admitter.ts'
import { BudgetLedger } from '../../src/budget/budget-ledger.ts'
import { JournaledLedger } from '../../src/budget/ledger/journaled-ledger.ts'
import { KeyAdmitter } from '../../src/budget/keys/key-admitter.ts'
import type { TaskType } from '../../src/budget/tasks/task-limits.ts'
import { Tasks, type TaskToolCall } from '../../src/budget/tasks/tasks.ts'
import { ToolNames } from '../../src/budget/tasks/tool-names.ts'
import { WaitingLines } from '../../src/budget/tasks/waiting-line.ts'
import { WallDay } from '../../src/budget/wall-day.ts'
import type { Attempt, Call, Hold, Target } from '../../src/gateway/steps.ts'
import type { TaskState } from '../../src/gateway/tasks.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { makeCall, target } from './fake-steps.ts'
import { RecordingJournal } from './recording-journal.ts'

export interface BudgetWorld {
  readonly journal: RecordingJournal
  readonly ledger: JournaledLedger
  readonly tasks: Tasks
  readonly budget: BudgetLedger
  readonly admitter: BudgetAdmitter
  readonly alarms: string[]
  readonly exceeded: { readonly held: number; readonly cost: number }[]
  readonly ended: string[]
  /** States that tasks entered, and tools that were seen to have answered. */
  readonly entered: TaskState[]
  readonly tools: (TaskToolCall & { readonly task: string })[]
  readonly clock: { wallMs: number }
  /** Admits a call of this task and holds its first attempt. */
  hold(task: string | undefined, number?: number, to?: Target): Promise<{ call: Call; hold: Hold; release: () => void }>
}

const START_MS = Date.parse('2026-11-25T12:00:00Z')

/** Every attempt holds 100 nano-dollars, 10 tokens in and 10 out. */
const HUNDRED: BoundOf = ({ remaining }) =>
  remaining !== undefined && remaining < 100
    ? { kind: 'refused', code: 'request_exceeds_remaining', param: undefined, needed: toNanoUsd(100) }
    : { kind: 'hold', amount: toNanoUsd(100), outputCap: 10, inputTokens: 10, outputTokens: 10, limitedBy: 'caller' }

export function budgetWorld(
  type: Partial<TaskType> = {},
  journal: RecordingJournal = new RecordingJournal(),
  holdWaitMs = 0,
  boundOf: BoundOf = HUNDRED,
): BudgetWorld {
  const clock = { wallMs: START_MS }
  const alarms: string[] = []
  const exceeded: { readonly held: number; readonly cost: number }[] = []
  const ended: string[] = []
  const entered: TaskState[] = []
  const tools: (TaskToolCall & { readonly task: string })[] = []
  const lines = new WaitingLines()
  const ledger = new JournaledLedger(journal, {
    defer: setImmediate,
    onFreed: ({ books }) => {
      for (const { id } of books) lines.freed(id)
    },
  })
  const wallNow = (): number => clock.wallMs
  const plain = { name: 'default', limits: {}, writeTools: new ToolNames([]), onLimit: 'pause' as const, parkMs: 0 }
  const types = new Map<string, TaskType>([['default', { ...plain, ...type }]])
  const tasks = new Tasks({
    store: ledger,
    types: () => types,
    wallNow,
    now: () => performance.now(),
    idleMs: () => 3_600_000,
    onEnd: (task, outcome, cost) => ended.push(`${task.id} ${outcome} ${cost}`),
    onState: (state) => entered.push(state),
    onTool: (task, tool) => tools.push({ task: task.id, ...tool }),
  })
  const budget = new BudgetLedger({
    ledger,
    tasks,
    lines,
    boundOf,
    noteInput: () => {},
    day: new WallDay(wallNow, ledger.read('clock', 'day'), (day) => ledger.write('clock', 'day', day)),
    wallNow,
    now: () => performance.now(),
    settings: () => ({ holdWaitMs, minOutputTokens: 64, capAtLimit: 'lower' }),
    events: {
      refused: () => {},
      lowered: () => {},
      exceeded: (_attempt, _model, held, cost) => exceeded.push({ held, cost }),
      alarm: (_attempt, what) => alarms.push(what),
    },
  })
  const admitter = new BudgetAdmitter(new KeyAdmitter(), tasks)
  let calls = 0
  return {
    journal,
    ledger,
    tasks,
    budget,
    admitter,
    alarms,
    exceeded,
    ended,
    entered,
    tools,
    clock,
    async hold(task, number = 1, to = target('m')) {
      const call = makeCall({
        id: `req_${(calls += 1)}`,
        task: { id: task, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
        startedMs: performance.now(),
      })
      const admission = await admitter.admit(call)
      const release = (): void => admitter.release(call, admission, undefined)
      const attempt: Attempt = { callId: call.id, number, target: to }
      try {
        return { call, hold: await budget.reserve(call, admission, attempt), release }
      } catch (error) {
        release()
        throw error
      }
    },
  }
}
