/**
 * The way of a request, step by step. Streaming and whole answers, every wire dialect and the agent loop go through here;
 * nothing reaches an upstream beside it, so nothing escapes the ledger.
 */
import { isContent, type AnswerChunk } from '../protocol/answer.ts'
import { SwitchyardError, toSwitchyardError } from '../shared/errors.ts'
import { ZERO_USD } from '../shared/money.ts'
import { RequestTrace } from './request-trace.ts'
import type {
  Admission,
  AnswerHead,
  AnswerSink,
  CacheLookup,
  Call,
  ChunkConsumer,
  FinishedRequest,
  Reason,
  RoutePlan,
  SendResult,
  SentAnswer,
  Steps,
  Target,
} from './steps.ts'

/** Answers one call into `sink` and returns the record of it, which has been reported already. Never throws. */
export async function complete(asked: Call, sink: AnswerSink, steps: Steps): Promise<FinishedRequest> {
  const trace = new RequestTrace(asked, steps.now)
  let call = asked
  let admission: Admission | undefined
  try {
    const screened = steps.guard.screen(asked)
    if (screened !== undefined) {
      trace.guard = screened.report
      if (screened.refusal !== undefined) throw screened.refusal
      call = screened.call
    }
    // Steps that answer at once are not awaited: each wait costs a request more than most of these steps do.
    const admitted = steps.admitter.admit(call)
    admission = admitted instanceof Promise ? await admitted : admitted
    trace.admitted(admission)
    const looked = steps.cache.lookup(call)
    const found = looked instanceof Promise ? await looked : looked
    trace.lookedUp(found)
    if ('chunks' in found) await answerFromCache(call, admission, found, sink, trace)
    else {
      const routed = steps.router.route(call, admission)
      const plan = routed instanceof Promise ? await routed : routed
      trace.routed(plan)
      const sent = await answerFromUpstream(call, admission, plan, sink, steps, trace)
      if (sent !== undefined) await steps.cache.remember(call, sent)
    }
  } catch (thrown) {
    // A caller that left while we waited is no failure of ours.
    if (call.signal.aborted) trace.aborted()
    else {
      const error = toSwitchyardError(thrown)
      trace.failed(error)
      sink.fail(error)
    }
  }
  const record = trace.finish()
  if (admission !== undefined) steps.admitter.release(call, admission, record.usage)
  steps.reporter.finished(record)
  return record
}

async function answerFromCache(
  call: Call,
  admission: Admission,
  found: Extract<CacheLookup, { readonly chunks: unknown }>,
  sink: AnswerSink,
  trace: RequestTrace,
): Promise<void> {
  sink.prepare({
    tier: 'cache',
    upstream: 'cache',
    reason: 'cache',
    cache: found.result,
    attempts: 0,
    simulated: false,
    taskId: admission.taskId,
    ...(admission.standing === undefined ? {} : { standing: admission.standing }),
    dropped: call.request.dropped,
    guard: trace.guard,
  })
  for (const chunk of found.chunks) {
    if (!sink.chunk(chunk)) await sink.drained()
  }
  sink.close(found.usage, ZERO_USD)
  trace.completed(found.usage)
}

/** Tries the plan's targets in order until one answers. Resolves with what was sent, where somebody wants to keep it. */
async function answerFromUpstream(
  call: Call,
  admission: Admission,
  plan: RoutePlan,
  sink: AnswerSink,
  steps: Steps,
  trace: RequestTrace,
): Promise<SentAnswer | undefined> {
  const keep = steps.cache.wants(call)
  const judged = steps.judge.wants(call, plan)
  let reason: Reason = plan.reason
  for (const [index, target] of plan.targets.entries()) {
    const isLast = index === plan.targets.length - 1
    const way = new AnswerWay(sink, headOf(call, admission, target, reason, trace), trace, keep, judged && !isLast)
    let result: SendResult
    try {
      result = await attempt(call, admission, { target, reason, isLast }, way, steps, trace)
    } catch (thrown) {
      // What one model costs too much another may do for less.
      if (isLast || !isForMoney(thrown)) throw thrown
      reason = 'budget'
      continue
    }
    const { outcome } = result
    if (outcome.kind === 'aborted') {
      trace.aborted()
      return undefined
    }
    if (outcome.kind === 'complete') {
      const answer: SentAnswer = { target, chunks: way.kept, usage: outcome.usage }
      if (way.isHolding) {
        const verdict = await steps.judge.judge(call, answer)
        if (!verdict.accept) {
          reason = 'escalated'
          continue
        }
        await way.release()
      }
      sink.close(outcome.usage, trace.cost)
      trace.completed(outcome.usage)
      return keep ? answer : undefined
    }
    if (outcome.contentSent || !outcome.fallback || isLast) throw outcome.error
    reason = 'fallback'
  }
  throw new SwitchyardError('internal_error', 'No model of the route answered.', {
    detail: 'route plan ran out of targets',
  })
}

function isForMoney(thrown: unknown): boolean {
  return (
    thrown instanceof SwitchyardError &&
    (thrown.code === 'request_exceeds_remaining' || thrown.code === 'model_unpriced')
  )
}

async function attempt(
  call: Call,
  admission: Admission,
  { target, reason, isLast }: { readonly target: Target; readonly reason: Reason; readonly isLast: boolean },
  way: AnswerWay,
  steps: Steps,
  trace: RequestTrace,
): Promise<SendResult> {
  const number = trace.attempts + 1
  const hold = await steps.ledger.reserve(call, admission, { callId: call.id, number, target, isLast })
  if (hold.loweredCap !== undefined) way.lowered(hold.loweredCap)
  trace.sending(target, reason)
  let result: SendResult
  try {
    result = await steps.sender.send(hold.call ?? call, hold, way)
  } catch (thrown) {
    // A defect of ours must not leave a hold open: what was sent by then is not known.
    const error = toSwitchyardError(thrown)
    await steps.ledger.settle(hold, { ...UNKNOWN, error })
    throw error
  }
  const settled = steps.ledger.settle(hold, result.outcome)
  const charge = settled instanceof Promise ? await settled : settled
  trace.sent(result, charge.cost)
  return result
}

const UNKNOWN = { kind: 'failed', contentSent: true, usage: undefined, billing: 'unknown', fallback: false } as const

function headOf(call: Call, admission: Admission, target: Target, reason: Reason, trace: RequestTrace): AnswerHead {
  return {
    tier: target.tier,
    upstream: target.upstream,
    reason,
    cache: trace.cache,
    attempts: trace.attempts + 1,
    simulated: target.kind === 'simulated',
    taskId: admission.taskId,
    ...(admission.standing === undefined ? {} : { standing: admission.standing }),
    dropped: call.request.dropped,
    guard: trace.guard,
  }
}

/** Carries an attempt's chunks to the sink: notes the first content, keeps a copy where wanted, holds all back while a judge has the last word. */
class AnswerWay implements ChunkConsumer {
  readonly kept: AnswerChunk[] = []
  readonly isHolding: boolean
  readonly #sink: AnswerSink
  #head: AnswerHead
  readonly #trace: RequestTrace
  readonly #keep: boolean
  #isPrepared = false

  constructor(sink: AnswerSink, head: AnswerHead, trace: RequestTrace, keep: boolean, hold: boolean) {
    this.#sink = sink
    this.#head = head
    this.#trace = trace
    this.#keep = keep || hold
    this.isHolding = hold
    if (!hold) this.#prepare()
  }

  chunk(chunk: AnswerChunk): boolean {
    if (!this.#trace.hasContent && chunk.events.some(isContent)) this.#trace.firstContent()
    if (this.#keep) this.kept.push(chunk)
    return this.isHolding || this.#sink.chunk(chunk)
  }

  drained(): Promise<void> {
    return this.#sink.drained()
  }

  /** A whole answer, or a stream before its first chunk, still can say so. */
  dropped(names: readonly string[]): void {
    this.#head = { ...this.#head, dropped: [...this.#head.dropped, ...names] }
    if (this.#isPrepared) this.#sink.prepare(this.#head)
  }

  /** The budget pays for a shorter answer than was asked for, which the head has to say. */
  lowered(cap: number): void {
    this.#head = { ...this.#head, loweredCap: cap }
    if (this.#isPrepared) this.#sink.prepare(this.#head)
  }

  /** Sends what was held back. */
  async release(): Promise<void> {
    this.#prepare()
    for (const chunk of this.kept) {
      if (!this.#sink.chunk(chunk)) await this.#sink.drained()
    }
  }

  #prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.#sink.prepare(this.#head)
  }
}
