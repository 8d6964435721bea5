/** What `switchyard report tasks --format json` prints, as far as tests read it. */
export interface ReportJson {
  readonly all: {
    readonly tasks: number
    readonly cost_nano_usd: number
    readonly cost_per_task_nano_usd: number
    readonly cost_max_nano_usd: number
    readonly cost_per_completion_nano_usd: number
    readonly completion_rate: number
    readonly escalation_rate: number
    readonly silent_failure_rate: number
    readonly tool_calls_mean: number
    readonly tool_calls_p95: number
    readonly model_calls_mean: number
    readonly tokens_in_mean: number
    readonly outcomes: readonly { readonly outcome: string; readonly tasks: number }[]
  }
  readonly cap: {
    readonly above: number
    readonly completed_above: number
    readonly stopped: number
    readonly completed_stopped: number
    readonly saved_nano_usd: number
  }
}

/** The report in the names, units and digits of `airline_recorded_expected_report.json`; its cap must be that of six tool calls. */
export function airlineFigures({ all, cap }: ReportJson): Record<string, unknown> {
  const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
  const usd = (nano: number, digits: number): number => rounded(nano / 1e9, digits)
  return {
    n: all.tasks,
    outcomes: Object.fromEntries(all.outcomes.map(({ outcome, tasks }) => [outcome, tasks])),
    completion_rate: rounded(all.completion_rate, 4),
    cost_total: usd(all.cost_nano_usd, 3),
    cost_per_run: usd(all.cost_per_task_nano_usd, 4),
    cost_per_completion: usd(all.cost_per_completion_nano_usd, 4),
    avg_tool_calls: rounded(all.tool_calls_mean, 3),
    over6: cap.above,
    success_over6: cap.completed_above,
    escalation_rate: rounded(all.escalation_rate, 4),
    silent_failure_rate: rounded(all.silent_failure_rate, 4),
    model_turns_mean: rounded(all.model_calls_mean, 2),
    prompt_tokens_mean: rounded(all.tokens_in_mean, 0),
    p95_tool_calls: all.tool_calls_p95,
    max_cost: usd(all.cost_max_nano_usd, 5),
  }
}
