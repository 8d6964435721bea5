/**
 * The way of a request, step by step. Streaming and whole answers, every wire dialect and the agent loop go through here;
 * nothing reaches an upstream beside it, so nothing escapes the ledger.
 */
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import { SwitchyardError, toSwitchyardError } from '../shared/errors.ts'
import { AnswerWay, type Job } from './answer-way.ts'
import { answerFromCache, answerFromTwin } from './from-cache.ts'
import { RequestTrace } from './request-trace.ts'
import type {
  Admission,
  AnswerHead,
  AnswerSink,
  Call,
  ChunkConsumer,
  FinishedRequest,
  LeadingFlight,
  Reason,
  SendResult,
  SentAnswer,
  Steps,
  Target,
  Verdict,
} from './steps.ts'

/** Twins that one call waits for, one after the other, before it goes on its own. */
const MOST_JOINS = 2

/** Answers one call into `sink` and returns the record of it, which has been reported already. Never throws. */
export async function complete(asked: Call, sink: AnswerSink, steps: Steps): Promise<FinishedRequest> {
  const trace = new RequestTrace(asked, steps.now)
  let call = asked
  let admission: Admission | undefined
  let flight: LeadingFlight | undefined
  let ended: SwitchyardError | undefined
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
    for (let joins = 0; ; joins++) {
      const looked = steps.cache.lookup(call, screened?.report, joins < MOST_JOINS)
      const found = looked instanceof Promise ? await looked : looked
      trace.lookedUp(found)
      if (found.result === 'join') {
        const how = await answerFromTwin(call, admission, found.twin, sink, steps, trace, joins === 0)
        if (how === 'done') break
        if (how === 'alone') joins = MOST_JOINS
        continue
      }
      if ('chunks' in found) await answerFromCache(call, admission, found, sink, steps, trace)
      else {
        flight = found.result === 'miss' ? found.flight : undefined
        const routed = steps.router.route(call, admission)
        const plan = routed instanceof Promise ? await routed : routed
        trace.routed(plan)
        await answerFromUpstream({ call, admission, plan, sink: flight?.lead(sink) ?? sink, steps, trace, flight })
      }
      break
    }
    // Somebody else waited for the answer of a caller that has left.
    if (asked.departure?.hasLeft === true) trace.aborted()
  } catch (thrown) {
    // A caller that left while we waited is no failure of ours.
    if (call.signal.aborted) trace.aborted()
    else {
      const error = toSwitchyardError(thrown)
      trace.failed(error)
      sink.fail(error)
      ended = error
    }
  }
  flight?.end(ended)
  const record = trace.finish()
  if (admission !== undefined) steps.admitter.release(call, admission, record.usage)
  steps.reporter.finished(record)
  return record
}

/** Tries the plan's targets in order until one answers acceptably. */
async function answerFromUpstream(job: Job): Promise<void> {
  const { call, plan, steps, trace } = job
  let watch = plan.escalation === undefined ? 'nothing' : steps.judge.watch(call, plan)
  let targets: readonly Target[] = plan.targets
  let reason: Reason = plan.reason
  /** What the judge refused, to be sent after all where nothing better can be had. */
  let refused: Refused | undefined
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index] as Target
    // What stands behind a refused answer is no reason to try everything: one escalation, with the fallback of its own tier.
    if (watch !== 'nothing' && plan.escalation?.includes(target) === true) watch = 'nothing'
    const isLast = index === targets.length - 1
    const { note } = plan
    const way = new AnswerWay(
      job,
      headOf(job, target, reason),
      watch,
      note === undefined ? undefined : (chunk) => note(target, chunk),
    )
    // What flows from its beginning on is not judged by what was asked for besides, and would show it.
    const asked = watch === 'whole' ? steps.judge.asks(call, plan, target) : call
    if (asked !== call) way.hideLogprobs()
    let result: SendResult
    try {
      result = await attempt(job, { target, reason, isLast: isLast && refused === undefined }, way, asked)
    } catch (thrown) {
      // What one model costs too much another may do for less.
      if (!isForMoney(thrown)) throw thrown
      if (isLast) return await sendRefused(job, refused, thrown)
      reason = 'budget'
      continue
    }
    const { outcome } = result
    const verdict = way.verdict
    if (outcome.kind === 'complete' || (verdict?.accept === false && !call.signal.aborted)) {
      const answer: SentAnswer = { target, chunks: way.kept, usage: outcome.usage ?? NO_USAGE }
      let final = ACCEPTED
      if (way.isHolding) {
        const said = verdict ?? steps.judge.judge(call, plan, answer, (other) => askAside(job, other))
        final = said instanceof Promise ? await said : said
      }
      if (final.accept) {
        // Most answers wait for nobody here, and a wait costs more than the verdict.
        const released = way.release()
        if (released !== undefined) await released
        return finish(job, answer, reason === 'fallback' || reason === 'degraded')
      }
      trace.escalated(final.reason)
      if (outcome.kind === 'complete') refused = { way, answer }
      targets = plan.escalation ?? []
      index = -1
      reason = 'escalated'
      watch = 'nothing'
      continue
    }
    if (outcome.kind === 'aborted') {
      trace.aborted()
      return
    }
    // Of an answer that is held back nothing was seen: another model may begin anew.
    const canGoOn = way.isHolding ? outcome.contentSent || outcome.fallback : !outcome.contentSent && outcome.fallback
    if (!canGoOn || isLast) return await sendRefused(job, refused, outcome.error)
    reason = reason === 'escalated' ? reason : 'fallback'
  }
  throw new SwitchyardError('internal_error', 'No model of the route answered.', {
    detail: 'route plan ran out of targets',
  })
}

const ACCEPTED: Verdict = { accept: true }
const NO_USAGE: Usage = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  estimated: true,
}

interface Refused {
  readonly way: AnswerWay
  readonly answer: SentAnswer
}

/** The answer is whole, accepted and on its way. `isDoubtful`: another one was wanted. */
function finish({ sink, trace, flight }: Job, answer: SentAnswer, isDoubtful: boolean): void {
  trace.serves(answer.target)
  sink.close(answer.usage, trace.cost)
  trace.completed(answer.usage)
  flight?.land(answer, trace.cost, isDoubtful)
}

/** The bigger models cannot be had or paid for: a doubtful answer is better than none. Throws where there is none. */
async function sendRefused(job: Job, refused: Refused | undefined, error: unknown): Promise<void> {
  if (refused === undefined) throw error
  await refused.way.release()
  finish(job, refused.answer, true)
}

/** Asks a model beside the one whose answer is being judged. Whatever goes wrong, it has no opinion then. */
async function askAside(job: Job, target: Target): Promise<SentAnswer | undefined> {
  const chunks: AnswerChunk[] = []
  const aside: ChunkConsumer = {
    chunk(chunk) {
      chunks.push(chunk)
      return true
    },
    drained: () => Promise.resolve(),
  }
  try {
    const { outcome } = await attempt(job, { target, reason: job.plan.reason, isLast: false }, aside)
    return outcome.kind === 'complete' ? { target, chunks, usage: outcome.usage } : undefined
  } catch (thrown) {
    if (isForMoney(thrown)) return undefined
    throw thrown
  }
}

function isForMoney(thrown: unknown): boolean {
  return (
    thrown instanceof SwitchyardError &&
    (thrown.code === 'request_exceeds_remaining' || thrown.code === 'model_unpriced')
  )
}

async function attempt(
  { call, admission, steps, trace, flight }: Job,
  { target, reason, isLast }: { readonly target: Target; readonly reason: Reason; readonly isLast: boolean },
  way: ChunkConsumer & Partial<Pick<AnswerWay, 'lowered' | 'stop'>>,
  asked: Call = call,
): Promise<SendResult> {
  const number = trace.attempts + 1
  const hold = await steps.ledger.reserve(call, admission, { callId: call.id, number, target, isLast })
  if (hold.loweredCap !== undefined) way.lowered?.(hold.loweredCap)
  trace.sending(target, reason)
  flight?.sending()
  let result: SendResult
  try {
    let sent = hold.call ?? asked
    if (way.stop !== undefined) sent = { ...sent, signal: AbortSignal.any([call.signal, way.stop]) }
    result = await steps.sender.send(sent, hold, way)
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

function headOf({ call, admission, trace, plan }: Job, target: Target, reason: Reason): AnswerHead {
  const { escalation } = trace
  return {
    tier: target.tier,
    upstream: target.upstream,
    reason,
    intent: plan.route === undefined ? undefined : plan.intent,
    cache: trace.cache,
    attempts: trace.attempts + 1,
    simulated: target.kind === 'simulated',
    taskId: admission.taskId,
    ...(admission.standing === undefined ? {} : { standing: admission.standing }),
    dropped: call.request.dropped,
    ...(escalation === undefined ? {} : { escalation }),
    guard: trace.guard,
  }
}
