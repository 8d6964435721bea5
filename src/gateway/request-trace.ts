/** Collects what happened to one call on its way through `complete()` and turns it into the finished-request record. */
import type { Usage } from '../protocol/answer.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import { addUsd, ZERO_USD, type NanoUsd } from '../shared/money.ts'
import type {
  Admission,
  CacheLookup,
  CacheResult,
  Call,
  FinishedRequest,
  GuardReport,
  Reason,
  Result,
  RoutePlan,
  SendResult,
  Target,
} from './steps.ts'

/** What proxies log when the client closed the connection (nginx's 499): no status was sent. */
const CLIENT_CLOSED_REQUEST = 499

export class RequestTrace {
  attempts = 0
  /** Cost so far; undefined once an attempt's cost is unknown. */
  cost: NanoUsd | undefined = ZERO_USD
  cache: CacheResult = 'bypass'
  hasContent = false
  guard: GuardReport | undefined
  readonly #call: Call
  readonly #now: () => number
  #admission: Admission | undefined
  #plan: RoutePlan | undefined
  #target: Target | undefined
  #reason: Reason | undefined
  #escalation: string | undefined
  #result: Result = 'failed'
  #error: SwitchyardError | undefined
  #usage: Usage | undefined
  #savedUsd: NanoUsd = ZERO_USD
  #cacheWhy: string | undefined
  #firstContentMs: number | undefined
  #sendStartedMs = 0
  #upstreamMs = 0
  #dropped: readonly string[]

  constructor(call: Call, now: () => number) {
    this.#call = call
    this.#now = now
    this.#dropped = call.request.dropped
  }

  admitted(admission: Admission): void {
    this.#admission = admission
  }

  lookedUp(found: CacheLookup): void {
    this.cache = found.result
    if (found.result === 'bypass') this.#cacheWhy = found.why
    if ('chunks' in found) this.answeredFromCache(found.savedUsd)
  }

  answeredFromCache(savedUsd: NanoUsd): void {
    this.#reason = 'cache'
    this.#savedUsd = savedUsd
  }

  routed(plan: RoutePlan): void {
    this.#plan = plan
  }

  sending(target: Target, reason: Reason): void {
    this.#target = target
    this.#reason = reason
    this.attempts += 1
    this.#sendStartedMs = this.#now()
  }

  sent(result: SendResult, cost: NanoUsd | undefined): void {
    this.#upstreamMs += this.#now() - this.#sendStartedMs
    this.cost = cost === undefined || this.cost === undefined ? undefined : addUsd(this.cost, cost)
    this.#usage = result.outcome.usage
    if (result.dropped.length > 0) this.#dropped = [...this.#call.request.dropped, ...result.dropped]
  }

  /** The answer of this target is the one that is sent, whoever was asked after it. */
  serves(target: Target): void {
    this.#target = target
  }

  /** What was heard of the refused answer was never shown. */
  escalated(why: string): void {
    this.#escalation = why
    this.hasContent = false
    this.#firstContentMs = undefined
  }

  /** What the judge refused, or why; undefined = nothing was. */
  get escalation(): string | undefined {
    return this.#escalation
  }

  firstContent(): void {
    this.hasContent = true
    this.#firstContentMs = this.#now() - this.#call.startedMs
  }

  completed(usage: Usage): void {
    this.#usage = usage
    this.#result = 'ok'
  }

  aborted(): void {
    this.#result = 'aborted'
  }

  failed(error: SwitchyardError): void {
    this.#error = error
    this.#result = this.hasContent ? 'cut' : error.status < 500 ? 'refused' : 'failed'
  }

  finish(): FinishedRequest {
    const { request, caller } = this.#call
    const isCached = this.#reason === 'cache'
    return {
      id: this.#call.id,
      tenant: caller.tenant,
      key: caller.key,
      taskId: this.#admission?.taskId,
      taskType: this.#admission?.taskType ?? 'default',
      model: request.model,
      stream: request.stream,
      result: this.#result,
      errorCode: this.#error?.code,
      errorDetail: this.#error?.detail,
      status: this.#result === 'aborted' ? CLIENT_CLOSED_REQUEST : (this.#error?.status ?? 200),
      tier: isCached ? 'cache' : this.#target?.tier,
      upstream: this.#target?.upstream,
      target: this.#target?.name,
      reason: this.#reason ?? this.#plan?.reason,
      escalation: this.#escalation,
      intent: this.#plan?.intent ?? 'other',
      score: this.#plan?.score,
      cache: this.cache,
      cacheWhy: this.#cacheWhy,
      attempts: this.attempts,
      usage: this.#usage,
      cost: this.cost,
      savedUsd: this.#savedUsd,
      durationMs: this.#now() - this.#call.startedMs,
      firstContentMs: this.#firstContentMs,
      upstreamMs: this.#upstreamMs,
      routerMs: this.#plan?.tookMs ?? 0,
      dropped: this.#dropped,
      guard: this.guard,
    }
  }
}
