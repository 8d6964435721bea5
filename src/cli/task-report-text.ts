/** The report on tasks as text for people. */
import type { CapEffect, Caps } from '../budget/report/cap-effect.ts'
import type { GroupFigures, TaskFigures, TaskReport } from '../budget/report/task-report.ts'
import { formatUsd, NANO_PER_USD, type NanoUsd } from '../shared/money.ts'
import { columns } from './columns.ts'
import type { Style } from './style.ts'

interface Column {
  readonly head: string
  readonly cell: (figures: GroupFigures) => string
}

const COLUMNS: readonly Column[] = [
  { head: 'tasks', cell: ({ tasks }) => String(tasks) },
  { head: 'USD', cell: ({ cost }) => usd(cost) },
  { head: 'per task', cell: ({ costPerTask }) => usd(costPerTask) },
  { head: 'p50', cell: ({ costP50 }) => usd(costP50) },
  { head: 'p95', cell: ({ costP95 }) => usd(costP95) },
  { head: 'max', cell: ({ costMax }) => usd(costMax) },
  { head: 'tool calls', cell: ({ toolCallsMean }) => number(toolCallsMean) },
  { head: 'p95', cell: ({ toolCallsP95 }) => number(toolCallsP95, 0) },
  { head: 'write calls', cell: ({ writeCallsMean }) => number(writeCallsMean) },
  { head: 'model calls', cell: ({ modelCallsMean }) => number(modelCallsMean) },
  { head: 'seconds', cell: ({ secondsMean }) => number(secondsMean, 0) },
]

/** A table of every type and outcome, the rates of each type, and what caps would have done. */
export function reportLines(report: TaskReport, caps: Caps, effect: CapEffect, style: Style): readonly string[] {
  const { all, types } = report
  if (all.tasks === 0) return ['no tasks']
  const groups = types.length === 1 ? types : [...types, { type: 'all types', ...all }]
  // Only who has said which tools write has any.
  const shown = COLUMNS.filter(({ head }) => head !== 'write calls' || (all.writeCallsMean ?? 0) > 0)
  const row = (type: string, outcome: string, figures: GroupFigures): readonly string[] => [
    type,
    outcome,
    ...shown.map(({ cell }) => cell(figures)),
  ]
  const rows = groups.flatMap((group) => [
    row(group.type, 'all', group),
    ...group.outcomes.map((figures) => row('', figures.outcome, figures)),
  ])
  const titles = ['type', 'outcome', ...shown.map(({ head }) => head)]
  const [head = '', ...lines] = columns([titles, ...rows], ['left', 'left', 'right'])
  return [
    style.heading(head),
    ...lines,
    '',
    ...groups.map((group) => `${group.type}: ${ratesText(group)}`),
    ...(all.unresolved === 0
      ? []
      : [
          style.warning(`$${formatUsd(all.unresolved)} of the cost is unresolved: what it really was is not known yet`),
        ]),
    '',
    ...capLines(all, caps, effect),
  ]
}

function ratesText(figures: TaskFigures): string {
  const { ended, completed, completionRate, costPerCompletion, escalationRate, silentFailureRate } = figures
  if (ended === 0) return 'none has ended'
  const perCompletion =
    costPerCompletion === undefined ? '' : ` at $${usd(costPerCompletion)} each, the failed ones' cost included`
  return [
    `${completed} of ${ended} ended tasks completed (${percent(completionRate)})${perCompletion}`,
    `${percent(escalationRate)} handed to a human`,
    `${percent(silentFailureRate)} silent failures, as far as checks have found out`,
  ].join('; ')
}

function capLines(all: TaskFigures, caps: Caps, effect: CapEffect): readonly string[] {
  const names = [
    caps.toolCalls === undefined ? undefined : `${caps.toolCalls} tool calls`,
    caps.usd === undefined ? undefined : `$${cents(caps.usd)}`,
  ].filter((name) => name !== undefined)
  const { tasks, above, stopped, completedStopped, saved, unknown } = effect
  const share = all.cost === 0 ? '' : ` (${percent(saved / all.cost)} of the cost)`
  const unstopped = above - stopped - unknown
  return [
    `with a cap of ${names.join(' / ')}, ${stopped} of ${tasks} tasks would have been stopped, saving $${usd(saved)}${share}; ${completedStopped} of them ended as they should without it`,
    ...(unstopped === 0
      ? []
      : [`${unstopped} more passed it only after their last model call, when nothing was left to stop`]),
    ...(unknown === 0
      ? []
      : [`${unknown} more passed it, but their attempts are not kept any more: when, is not known`]),
  ]
}

/** Dollars as people write them, with two places at least. */
function cents(amount: NanoUsd): string {
  const exact = formatUsd(amount)
  const usual = (amount / NANO_PER_USD).toFixed(2)
  return exact.length > usual.length ? exact : usual
}

function usd(nano: number | undefined): string {
  return nano === undefined ? '-' : (nano / NANO_PER_USD).toFixed(4)
}

function number(value: number | undefined, digits = 2): string {
  return value === undefined ? '-' : value.toFixed(digits)
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(1)} %`
}
