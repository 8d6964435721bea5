import type { FinishedRequest, Reporter } from '../gateway/steps.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'

/** Where lines go, in batches; losing one must never cost an answer. */
export interface LineSink {
  write(line: string): void
}

/**
 * The event log: one JSON line per model call, and a last one per task. `run_id` is the task, or the request where there is none;
 * `step` counts the calls of a run since this process started. Holds no prompt, answer or key.
 */
export class EventLog implements Reporter {
  readonly #sink: LineSink
  readonly #steps = new Map<string, number>()

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  finished(record: FinishedRequest): void {
    // Refused before anything was sent: no step of the run.
    if (record.attempts === 0 && record.tier !== 'cache') return
    const { taskId } = record
    const key = taskId === undefined ? undefined : `${record.tenant}\n${taskId}`
    const step = key === undefined ? 1 : (this.#steps.get(key) ?? 0) + 1
    if (key !== undefined) this.#steps.set(key, step)
    this.#write({
      run_id: taskId ?? record.id,
      step,
      type: 'model_call',
      model: record.target ?? record.tier,
      tokens_in: record.usage?.input ?? 0,
      tokens_out: record.usage?.output ?? 0,
      latency_ms: Math.round(record.durationMs),
      time: new Date().toISOString(),
      tenant: record.tenant,
      request_id: record.id,
      result: record.result,
      attempts: record.attempts,
      ...(record.cost === undefined ? {} : { cost_usd: formatUsd(record.cost) }),
    })
  }

  /** The last line of a task. */
  ended(tenant: string, taskId: string, outcome: string, cost: NanoUsd, totalMs: number): void {
    this.#steps.delete(`${tenant}\n${taskId}`)
    this.#write({
      run_id: taskId,
      final: FINALS[outcome] ?? outcome,
      cost_usd: formatUsd(cost),
      total_latency_ms: Math.round(totalMs),
      time: new Date().toISOString(),
      tenant,
    })
  }

  #write(line: Readonly<Record<string, unknown>>): void {
    this.#sink.write(`${JSON.stringify(line)}\n`)
  }
}

/** Words of the log for states of tasks. */
const FINALS: Readonly<Record<string, string>> = {
  completed: 'success',
  failed: 'failure',
  completed_unverified: 'unverified',
}
