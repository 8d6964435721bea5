/** The report on tasks as CSV (RFC 4180): one line for each type and outcome, and one with the outcome `all` for each type. */
import type { GroupFigures, TaskFigures, TaskReport } from '../budget/report/task-report.ts'
import { formatUsd, NANO_PER_USD, type NanoUsd } from '../shared/money.ts'

const GROUP = [
  'tasks',
  'cost_usd',
  'cost_nano_usd',
  'unresolved_nano_usd',
  'cost_per_task_usd',
  'cost_p50_usd',
  'cost_p95_usd',
  'cost_max_usd',
  'tool_calls_mean',
  'tool_calls_p95',
  'write_calls_mean',
  'model_calls_mean',
  'tokens_in_mean',
  'tokens_out_mean',
  'seconds_mean',
] as const
const RATES = [
  'ended',
  'completed',
  'completion_rate',
  'cost_per_completion_usd',
  'escalation_rate',
  'silent_failure_rate',
] as const

/** Ends in a line break. Cells that nothing is known of are empty. */
export function reportCsv({ types }: TaskReport): string {
  const lines = types.flatMap((type) => [
    [type.type, 'all', ...groupCells(type), ...rateCells(type)],
    ...type.outcomes.map((figures) => [type.type, figures.outcome, ...groupCells(figures), ...RATES.map(() => '')]),
  ])
  return [['type', 'outcome', ...GROUP, ...RATES], ...lines].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')
}

function groupCells(figures: GroupFigures): readonly string[] {
  return [
    String(figures.tasks),
    formatUsd(figures.cost),
    String(figures.cost),
    String(figures.unresolved),
    meanUsd(figures.costPerTask),
    usd(figures.costP50),
    usd(figures.costP95),
    usd(figures.costMax),
    ...[
      figures.toolCallsMean,
      figures.toolCallsP95,
      figures.writeCallsMean,
      figures.modelCallsMean,
      figures.inputTokensMean,
      figures.outputTokensMean,
      figures.secondsMean,
    ].map(number),
  ]
}

function rateCells(figures: TaskFigures): readonly string[] {
  return [
    String(figures.ended),
    String(figures.completed),
    number(figures.completionRate),
    meanUsd(figures.costPerCompletion),
    number(figures.escalationRate),
    number(figures.silentFailureRate),
  ]
}

function usd(amount: NanoUsd | undefined): string {
  return amount === undefined ? '' : formatUsd(amount)
}

/** A mean of amounts, to the nano-dollar. */
function meanUsd(nano: number | undefined): string {
  return nano === undefined ? '' : (nano / NANO_PER_USD).toFixed(9)
}

/** Six digits, without zeros at the end. */
function number(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toFixed(6)))
}

/** Type names come from callers: quoted where needed, and never a formula for the program that opens the file. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
