import type { NanoUsd } from '../../src/shared/money.ts'
import { sizeHold, type HoldRule } from './hold-size.ts'
import type { RecordedCall, Session } from './sessions.ts'

/** A call without room for this much waits for other calls' holds, if these are what is in its way. */
const FAIR_OUTPUT_TOKENS = 1024
/** How long a call waits for other calls' holds before it is told to come again (`holdWaitMs`). */
const HOLD_WAIT_MS = 10_000

export interface ReplayOutcome {
  /** Money was really gone for a call: the task stops there. */
  readonly isRefused: boolean
  /** Calls that were sent. */
  readonly sent: number
  /** Answers that a lowered cap would have cut. */
  readonly cutShort: number
  /** Calls that waited for other calls' holds, and of these the ones that had to be sent again because it took too long. */
  readonly waited: number
  readonly sentAgain: number
  /** Most calls under way at once. */
  readonly concurrency: number
}

/**
 * Runs a session's calls through the rule `settled + held + new <= limit` in recorded time. The calls of an agent that had to wait are
 * late by as much; a call that is refused ends the session, since nothing would be different for the next one.
 */
export function replay(
  session: Session,
  limit: NanoUsd,
  rule: HoldRule,
  costOf: (call: RecordedCall) => NanoUsd,
): ReplayOutcome {
  const calls = new Arrivals(session)
  const books = new TaskBooks(limit, rule, costOf)
  const waiting: RecordedCall[] = []
  for (;;) {
    const arrival = calls.nextMs()
    const freeMs = waiting.length === 0 ? Infinity : books.nextEndMs()
    if (arrival === Infinity && freeMs === Infinity) break
    // Who comes while others wait stands behind them.
    if (arrival < freeMs) waiting.push(calls.take())
    const nowMs = Math.min(arrival, freeMs)
    if (waiting.length > 1 && arrival < freeMs) continue
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const look = books.look(first, nowMs)
      if (look === 'refused') return books.outcome(true)
      if (look === 'wait') break
      books.noteWait(nowMs - calls.startMs(first))
      calls.delayTo(first, nowMs)
      waiting.shift()
    }
  }
  return books.outcome(false)
}

/** The calls of all agents by the time at which they come, each agent's in their order. */
class Arrivals {
  readonly #queues = new Map<string, RecordedCall[]>()
  readonly #delaysMs = new Map<string, number>()

  constructor({ calls }: Session) {
    for (const call of calls.toReversed()) {
      const queue = this.#queues.get(call.agent)
      if (queue === undefined) this.#queues.set(call.agent, [call])
      else queue.push(call)
    }
  }

  startMs(call: RecordedCall): number {
    return call.startMs + (this.#delaysMs.get(call.agent) ?? 0)
  }

  nextMs(): number {
    const call = this.#next()
    return call === undefined ? Infinity : this.startMs(call)
  }

  take(): RecordedCall {
    const call = this.#next()
    if (call === undefined) throw new Error('no call is left')
    this.#queues.get(call.agent)?.pop()
    return call
  }

  delayTo(call: RecordedCall, ms: number): void {
    if (ms > this.startMs(call)) this.#delaysMs.set(call.agent, ms - call.startMs)
  }

  #next(): RecordedCall | undefined {
    let next: RecordedCall | undefined
    for (const queue of this.#queues.values()) {
      const call = queue.at(-1)
      if (call !== undefined && (next === undefined || this.startMs(call) < this.startMs(next))) next = call
    }
    return next
  }
}

/** The money of one task. */
class TaskBooks {
  readonly #limit: NanoUsd
  readonly #rule: HoldRule
  readonly #costOf: (call: RecordedCall) => NanoUsd
  #running: { readonly endMs: number; readonly hold: number; readonly cost: number }[] = []
  #settled = 0
  #counts = { sent: 0, cutShort: 0, waited: 0, sentAgain: 0, concurrency: 0 }

  constructor(limit: NanoUsd, rule: HoldRule, costOf: (call: RecordedCall) => NanoUsd) {
    this.#limit = limit
    this.#rule = rule
    this.#costOf = costOf
  }

  nextEndMs(): number {
    return Math.min(...this.#running.map(({ endMs }) => endMs))
  }

  /** Sends the call if it fits. */
  look(call: RecordedCall, nowMs: number): 'sent' | 'wait' | 'refused' {
    for (const { endMs, cost } of this.#running) if (endMs <= nowMs) this.#settled += cost
    this.#running = this.#running.filter(({ endMs }) => endMs > nowMs)
    const held = this.#running.reduce((sum, { hold }) => sum + hold, 0)
    const later = this.#limit - this.#settled
    const sized = sizeHold(call, this.#rule, later - held)
    const isShort = sized === undefined || sized.cap < Math.min(FAIR_OUTPUT_TOKENS, this.#rule.cap)
    if (isShort && held > 0) {
      const alone = sizeHold(call, this.#rule, later)
      if (alone !== undefined && alone.cap > (sized?.cap ?? 0)) return 'wait'
    }
    if (sized === undefined) return 'refused'
    this.#running.push({ endMs: nowMs + call.tookMs, hold: sized.amount, cost: this.#costOf(call) })
    this.#counts.sent += 1
    if (sized.cap < call.output) this.#counts.cutShort += 1
    this.#counts.concurrency = Math.max(this.#counts.concurrency, this.#running.length)
    return 'sent'
  }

  noteWait(ms: number): void {
    if (ms > 0) this.#counts.waited += 1
    if (ms > HOLD_WAIT_MS) this.#counts.sentAgain += 1
  }

  outcome(isRefused: boolean): ReplayOutcome {
    return { isRefused, ...this.#counts }
  }
}
