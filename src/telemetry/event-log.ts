import { createHash } from 'node:crypto'
import type { FinishedRequest, Reporter } from '../gateway/steps.ts'
import { formatUsd, type NanoUsd } from '../shared/money.ts'
import { IsoClock } from './iso-clock.ts'
import { quoted } from './request-line.ts'

/** Where lines go, in batches; losing one must never cost an answer. */
export interface LineSink {
  write(line: string): void
}

/**
 * The event log: one JSON line per model call and per tool call, and a last one per task. `run_id` is the task, or the request where
 * there is none; `step` counts the calls of a run since this process started. Holds no prompt, answer or key.
 */
export class EventLog implements Reporter {
  readonly #sink: LineSink
  readonly #time = new IsoClock(Date.now)
  readonly #steps = new Map<string, number>()

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  finished(record: FinishedRequest): void {
    // Refused before anything was sent: no step of the run.
    if (record.attempts === 0 && record.tier !== 'cache') return
    const { taskId } = record
    const step = taskId === undefined ? 1 : this.#step(record.tenant, taskId)
    const { usage, cost } = record
    // Put together by hand, as the request line is: it is written for every call.
    this.#sink.write(
      `{"run_id":${quoted(taskId ?? record.id)},"step":${step},"type":"model_call"` +
        `,"model":${quoted(record.target ?? record.tier ?? '')}` +
        `,"tokens_in":${usage?.input ?? 0},"tokens_out":${usage?.output ?? 0}` +
        `,"latency_ms":${Math.round(record.durationMs)},"time":"${this.#time.now()}"` +
        `,"tenant":${quoted(record.tenant)},"request_id":"${record.id}"` +
        `,"result":"${record.result}","attempts":${record.attempts}` +
        `,"asked":${quoted(record.model.slice(0, 128))}${decision(record)}` +
        `${cost === undefined ? '' : `,"cost_usd":"${formatUsd(cost)}"`}}\n`,
    )
  }

  /**
   * A tool that a client ran, as its next transcript shows it: what it was given only as a SHA-256, since it is the caller's own data.
   * @param ms From the answer that asked for it to the request that brings its result; undefined = that answer is not known.
   */
  toolCalled(tenant: string, taskId: string, tool: string, given: string, ms: number | undefined): void {
    this.#sink.write(
      `{"run_id":${quoted(taskId)},"step":${this.#step(tenant, taskId)},"type":"tool_call","tool":${quoted(tool)}` +
        `,"input":"${createHash('sha256').update(given).digest('hex')}","latency_ms":${ms === undefined ? 'null' : Math.round(ms)}` +
        `,"time":"${this.#time.now()}","tenant":${quoted(tenant)}}\n`,
    )
  }

  /** The last line of a task. */
  ended(tenant: string, taskId: string, outcome: string, cost: NanoUsd, totalMs: number): void {
    this.#steps.delete(`${tenant}\n${taskId}`)
    const line = {
      run_id: taskId,
      final: FINALS[outcome] ?? outcome,
      cost_usd: formatUsd(cost),
      total_latency_ms: Math.round(totalMs),
      time: this.#time.now(),
      tenant,
    }
    this.#sink.write(`${JSON.stringify(line)}\n`)
  }

  #step(tenant: string, taskId: string): number {
    const key = `${tenant}\n${taskId}`
    const step = (this.#steps.get(key) ?? 0) + 1
    this.#steps.set(key, step)
    return step
  }
}

/** What the router decided: enough to draw what another setting would have done. Words of ours need no escapes. */
function decision({ tier, reason, score, intent, escalation }: FinishedRequest): string {
  return (
    (tier === undefined ? '' : `,"tier":"${tier}"`) +
    (reason === undefined ? '' : `,"reason":"${reason}"`) +
    (score === undefined ? '' : `,"score":${Math.round(score * 1e6) / 1e6}`) +
    `,"intent":${quoted(intent)}` +
    (escalation === undefined ? '' : `,"escalation":${quoted(escalation)}`)
  )
}

/** Words of the log for states of tasks. */
const FINALS: Readonly<Record<string, string>> = {
  completed: 'success',
  failed: 'failure',
  completed_unverified: 'unverified',
}
