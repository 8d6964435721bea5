/**
 * The way of a request, step by step. Streaming and whole answers, every wire dialect and the agent loop go through here;
 * nothing reaches an upstream beside it, so nothing escapes the ledger.
 */
import { isContent, type AnswerChunk, type Usage } from '../protocol/answer.ts'
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
  Verdict,
  Watch,
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

/** What is the same for all attempts of one call. */
interface Job {
  readonly call: Call
  readonly admission: Admission
  readonly plan: RoutePlan
  readonly sink: AnswerSink
  readonly steps: Steps
  readonly trace: RequestTrace
}

/** Tries the plan's targets in order until one answers acceptably. Resolves with what was sent, where somebody wants to keep it. */
async function answerFromUpstream(
  call: Call,
  admission: Admission,
  plan: RoutePlan,
  sink: AnswerSink,
  steps: Steps,
  trace: RequestTrace,
): Promise<SentAnswer | undefined> {
  const job: Job = { call, admission, plan, sink, steps, trace }
  const keep = steps.cache.wants(call)
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
      keep,
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
      if (isLast) return await sendRefused(job, refused, keep, thrown)
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
        return finish(job, answer, keep)
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
      return undefined
    }
    // Of an answer that is held back nothing was seen: another model may begin anew.
    const canGoOn = way.isHolding ? outcome.contentSent || outcome.fallback : !outcome.contentSent && outcome.fallback
    if (!canGoOn || isLast) return await sendRefused(job, refused, keep, outcome.error)
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

/** The answer is whole, accepted and on its way. */
function finish({ sink, trace }: Job, answer: SentAnswer, keep: boolean): SentAnswer | undefined {
  trace.serves(answer.target)
  sink.close(answer.usage, trace.cost)
  trace.completed(answer.usage)
  return keep ? answer : undefined
}

/** The bigger models cannot be had or paid for: a doubtful answer is better than none. Throws where there is none. */
async function sendRefused(
  job: Job,
  refused: Refused | undefined,
  keep: boolean,
  error: unknown,
): Promise<SentAnswer | undefined> {
  if (refused === undefined) throw error
  await refused.way.release()
  return finish(job, refused.answer, keep)
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
  { call, admission, steps, trace }: Job,
  { target, reason, isLast }: { readonly target: Target; readonly reason: Reason; readonly isLast: boolean },
  way: ChunkConsumer & Partial<Pick<AnswerWay, 'lowered' | 'stop'>>,
  asked: Call = call,
): Promise<SendResult> {
  const number = trace.attempts + 1
  const hold = await steps.ledger.reserve(call, admission, { callId: call.id, number, target, isLast })
  if (hold.loweredCap !== undefined) way.lowered?.(hold.loweredCap)
  trace.sending(target, reason)
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

/** Carries an attempt's chunks to the sink: notes the first content, shows each to the router and keeps a copy where wanted, holds back what a judge has the last word on. */
class AnswerWay implements ChunkConsumer {
  kept: AnswerChunk[] = []
  /** What the beginning of a stream came to; undefined = nobody asked, or it could not be said yet. */
  verdict: Verdict | undefined
  readonly #job: Job
  readonly #sink: AnswerSink
  #head: AnswerHead
  readonly #trace: RequestTrace
  readonly #keep: boolean
  readonly #note: ((chunk: AnswerChunk) => void) | undefined
  #watch: Watch
  #hidesLogprobs = false
  readonly #stop: AbortController | undefined
  #isPrepared = false

  /** `note` is shown every chunk. */
  constructor(
    job: Job,
    head: AnswerHead,
    keep: boolean,
    watch: Watch,
    note: ((chunk: AnswerChunk) => void) | undefined,
  ) {
    this.#job = job
    this.#sink = job.sink
    this.#head = head
    this.#trace = job.trace
    this.#keep = keep
    this.#watch = watch
    this.#note = note
    if (watch === 'beginning') this.#stop = new AbortController()
    if (watch === 'nothing') this.#prepare()
  }

  /** Nothing of the answer was shown yet. */
  get isHolding(): boolean {
    return this.#watch !== 'nothing'
  }

  /** Aborted where the beginning was refused, so that nobody pays for the rest. */
  get stop(): AbortSignal | undefined {
    return this.#stop?.signal
  }

  chunk(chunk: AnswerChunk): boolean {
    if (!this.#trace.hasContent && chunk.events.some(isContent)) this.#trace.firstContent()
    if (this.#note !== undefined) this.#note(chunk)
    if (this.#watch === 'nothing') {
      if (this.#keep) this.kept.push(chunk)
      return this.#sink.chunk(chunk)
    }
    this.kept.push(chunk)
    if (this.#watch === 'beginning' && this.verdict === undefined) return this.#begin()
    return true
  }

  drained(): Promise<void> {
    return this.#sink.drained()
  }

  /** A whole answer, or a stream before its first chunk, still can say so. */
  dropped(names: readonly string[]): void {
    this.#change({ dropped: [...this.#head.dropped, ...names] })
  }

  /** The budget pays for a shorter answer than was asked for, which the head has to say. */
  lowered(cap: number): void {
    this.#change({ loweredCap: cap })
  }

  /** The judge asked for log-probabilities that the caller did not. */
  hideLogprobs(): void {
    this.#hidesLogprobs = true
  }

  /** Sends what was held back; a promise where the caller has to take some of it first. */
  release(): Promise<void> | undefined {
    if (this.#watch === 'nothing') return undefined
    this.#watch = 'nothing'
    // Second opinions were calls, too.
    if (this.#head.attempts !== this.#trace.attempts) this.#change({ attempts: this.#trace.attempts })
    this.#prepare()
    if (this.#hidesLogprobs) this.kept = this.kept.map(withoutLogprobs)
    for (let at = 0; at < this.kept.length; at++) {
      if (!this.#sink.chunk(this.kept[at] as AnswerChunk)) return this.#releaseSlowly(at + 1)
    }
    return undefined
  }

  async #releaseSlowly(from: number): Promise<void> {
    await this.#sink.drained()
    for (const chunk of this.kept.slice(from)) {
      if (!this.#sink.chunk(chunk)) await this.#sink.drained()
    }
  }

  #begin(): boolean {
    const { call, plan, steps } = this.#job
    this.verdict = steps.judge.begins(call, plan, this.kept)
    if (this.verdict === undefined) return true
    if (!this.verdict.accept) {
      this.#stop?.abort()
      return true
    }
    this.#watch = 'nothing'
    this.#prepare()
    let goesOn = true
    for (const chunk of this.kept) goesOn = this.#sink.chunk(chunk)
    if (!this.#keep) this.kept = []
    return goesOn
  }

  #change(part: Partial<AnswerHead>): void {
    this.#head = { ...this.#head, ...part }
    if (this.#isPrepared) this.#sink.prepare(this.#head)
  }

  #prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.#sink.prepare(this.#head)
  }
}

function withoutLogprobs({ events }: AnswerChunk): AnswerChunk {
  return { events: events.filter((event) => event.type !== 'logprobs') }
}
