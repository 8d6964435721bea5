/**
 * The interfaces of the steps that `complete.ts` names, and the values that pass between them.
 * A step that does not exist yet (or is switched off) is a no-op object behind its final interface.
 */
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import type { ChatRequest, Signer } from '../protocol/request.ts'
import type { SwitchyardError } from '../shared/errors.ts'
import type { NanoUsd } from '../shared/money.ts'
import type { Price } from '../shared/price.ts'

export const TIERS = ['local', 'frontier'] as const
/** `local` = the user's own engines, the small side of `auto`; `frontier` = hosted, the big side. */
export type Tier = (typeof TIERS)[number]

export const REASONS = [
  'pinned',
  'capability',
  'residency',
  'budget',
  'sticky',
  'intent',
  'gain',
  'share',
  'explore',
  'spill',
  'fallback',
  'escalated',
  'cache',
  'degraded',
] as const
/** Why a request went where it went: header `x-route-reason`, log field and metric label alike. */
export type Reason = (typeof REASONS)[number]

export const UPSTREAM_KINDS = ['vllm', 'tgi', 'openai', 'anthropic', 'google', 'simulated', 'embedded'] as const
export type UpstreamKind = (typeof UPSTREAM_KINDS)[number]

/** What a model can take; the router never sends a request to a model that lacks something it needs. */
export type Capability =
  | 'tools'
  | 'images'
  | 'json_schema'
  | 'audio'
  | 'web_search'
  | 'logprobs'
  | 'custom_tools'
  | 'completions'
  | 'embeddings'

/** A model that requests can be sent to: one entry of `models:` or one found at start. */
export interface Target {
  /** Name that callers use. */
  readonly name: string
  /** Name of its upstream. */
  readonly upstream: string
  readonly kind: UpstreamKind
  /** Name that the upstream knows. */
  readonly model: string
  readonly tier: Tier
  readonly contextTokens: number | undefined
  /** Which of its upstream's routes the model is asked by; absent = chat. `generate`: TGI's native one, for models without a chat template; `responses`: OpenAI's, for models that chat completions do not serve. */
  readonly api?: 'generate' | 'responses'
  readonly capabilities: ReadonlySet<Capability>
  /** Whose signed thinking it makes and reads, where its kind does not say it (OpenRouter). */
  readonly signs?: Signer
  /**
   * In force now: the same object until the price book has another one by its date. Read it once per attempt and keep it.
   * Absent = unpriced: served, cost unknown (header left out), refused for budgeted tasks.
   */
  readonly price: Price | undefined
  /** Fixed engine fields that the operator sends with every request to this model. */
  readonly extraBody: Readonly<Record<string, unknown>>
  /** Names of targets to try when this one is pinned and fails before its first content. */
  readonly fallbacks: readonly string[]
}

/** Dollars that a key or tenant may spend; absent = no limit. Days and months are those of UTC. */
export interface SpendLimits {
  readonly perDay?: NanoUsd
  readonly perMonth?: NanoUsd
}

/** Who sends the request; made from the API key alone. */
export interface Caller {
  readonly tenant: string
  /** Name of the key; a rotated key keeps it, and with it its books. */
  readonly key: string
  /** Whose key it is, where that was said. */
  readonly user: string | undefined
  readonly spendLimits: SpendLimits
  /** Limits over all keys of the tenant. */
  readonly tenantSpendLimits: SpendLimits
  /** May raise a task's budget. */
  readonly canTopUp: boolean
  /** Its responses may be stored (Responses API); absent = no. */
  readonly mayStore?: boolean
  /** Model names this key may use; absent = all. */
  readonly models: ReadonlySet<string> | undefined
  readonly unknownFields: 'drop' | 'refuse'
  /** Present = the key has requests or tokens per minute, or a limit of calls at the same time. */
  readonly limiter: KeyLimiter | undefined
}

/** Requests and tokens per minute, and calls at the same time, of one key. */
export interface KeyLimiter {
  /** In force now; undefined = none. */
  readonly limits: {
    readonly requestsPerMinute: number | undefined
    readonly tokensPerMinute: number | undefined
    readonly concurrency: number | undefined
  }
  /** Takes one request, `tokens` expected tokens and a place; throws `rate_limit_exceeded` with a retry time and takes nothing then. */
  admit(tokens: number): void
  /**
   * The call is over: gives its place back and corrects the expectation. Exactly once per `admit`.
   * @param startedMs The call's start or any moment between it and `admit`, monotonic milliseconds.
   */
  settle(expected: number, used: number, startedMs: number): void
  /** The limits per minute as they stand now; a limit that the key does not have is left out. */
  standing(): readonly LimitStanding[]
}
export interface LimitStanding {
  readonly of: 'requests' | 'tokens'
  /** In any minute. */
  readonly limit: number
  readonly remaining: number
  /** Until all of it is there again. */
  readonly resetMs: number
}

/** What the caller said about its task; limits may only lower what the type allows. */
export interface TaskHeaders {
  readonly id: string | undefined
  readonly type: string | undefined
  readonly budgetUsd: NanoUsd | undefined
  readonly maxToolCalls: number | undefined
  readonly deadlineMs: number | undefined
}

export interface Call {
  /** Our own id, `req_…`; a caller's is never passed on. */
  readonly id: string
  readonly caller: Caller
  readonly task: TaskHeaders
  readonly request: ChatRequest
  /** Aborted when the caller has left. */
  readonly signal: AbortSignal
  /** What the guard allows the router; absent = anything. */
  readonly limits?: RouteLimits
  /** Monotonic milliseconds at which the whole request had arrived. */
  readonly startedMs: number
  /** Absent = the caller says nothing about caches. */
  readonly cacheWish?: CacheWish | undefined
  /** Absent = the call ends when its caller leaves, and nobody can hold it. */
  readonly departure?: Departure
}
/** What becomes of a call whose caller leaves: it is aborted, unless somebody else waits for its answer. */
export interface Departure {
  readonly hasLeft: boolean
  keep(): void
  release(): void
}

// 0 screen --------------------------------------------------------------------------------------------------------

/** Restrictions on where a request may go. They only ever take something away. */
export interface RouteLimits {
  /** Present = only models of tier `local` may see it; the settings that say so. */
  readonly localBy: string | undefined
  /** Its text has no say in which model answers, and no model of the other tier stands in. */
  readonly isSteady: boolean
}
/** What a guard saw in a request: how often which kind, and never a value. */
export interface GuardReport {
  readonly findings: ReadonlyMap<string, number>
  /** How many of them were replaced by placeholders. */
  readonly redacted: ReadonlyMap<string, number>
  /** Present = the text looks like an attempt to take the model over: how much, 0..1. */
  readonly suspicion: number | undefined
}
export interface Screened {
  /** The call to go on with. */
  readonly call: Call
  readonly report: GuardReport
  /** Present = it goes no further. */
  readonly refusal?: SwitchyardError
}
/** Reads the texts of a request before anything else does. */
export interface Guard {
  /** Undefined = nothing was found; the call goes on as it is. */
  screen(call: Call): Screened | undefined
  /** The same for a question about a prompt that is not sent. Throws the refusal. */
  screenRequest(request: ChatRequest, caller: Caller): { readonly request: ChatRequest; readonly limits?: RouteLimits }
}

// 1 admit ---------------------------------------------------------------------------------------------------------

export interface Admission {
  readonly taskId: string | undefined
  readonly taskType: string
  /** What the call's task has spent and may still spend; absent = a call without a task. */
  readonly standing?: TaskStanding
}
/** Read when it is shown: a whole answer shows what stands after it, a stream what stands when it begins. */
export interface TaskStanding {
  spent(): NanoUsd
  /** Limit less what is settled, held and unresolved; undefined = no limit. */
  remaining(): NanoUsd | undefined
}
/** Throws a SwitchyardError to refuse. */
export interface Admitter {
  admit(call: Call): Admission | Promise<Admission>
  /** The admitted call is over: gives back what it took and did not use. Called once per admission. */
  release(call: Call, admission: Admission, usage: Usage | undefined): void
}

// 2 cache and 8 remember --------------------------------------------------------------------------------------------

export type CacheResult = 'hit-exact' | 'hit-semantic' | 'join' | 'miss' | 'bypass'
/** What a caller says in `Cache-Control` (RFC 9111 section 5.2.1) and `x-cache-tags`. */
export interface CacheWish {
  /** Neither from memory nor into it. */
  readonly noStore: boolean
  /** Not from memory. */
  readonly noCache: boolean
  /** From memory or not at all. */
  readonly onlyIfCached: boolean
  /** Oldest answer that will do, ms. */
  readonly maxAgeMs?: number
  /** Names under which the answer can be removed. */
  readonly tags: readonly string[]
}
/** An answer out of memory, said for what it is. */
export interface CacheEntry {
  readonly id: string
  readonly ageMs: number
  readonly savedUsd: NanoUsd
}
export type CacheLookup =
  /** `why` is one of a closed set: log field and metric label alike. */
  | { readonly result: 'bypass'; readonly why?: string }
  | { readonly result: 'miss'; readonly flight?: LeadingFlight }
  | {
      readonly result: 'hit-exact' | 'hit-semantic'
      readonly chunks: readonly AnswerChunk[]
      readonly usage: Usage
      readonly savedUsd: NanoUsd
      readonly entry?: CacheEntry
    }
  | { readonly result: 'join'; readonly twin: JoinedFlight }

/** A call whose answer others may be waiting for. One of `land` and `end` comes last. */
export interface LeadingFlight {
  /** Where its answer goes: to its own caller and to who has joined. */
  lead(sink: AnswerSink): AnswerSink
  /** Its money is held and it is being sent. */
  sending(): void
  /** The answer is whole. `isDoubtful`: it stands in for another one, and is not kept. */
  land(answer: SentAnswer, cost: NanoUsd | undefined, isDoubtful: boolean): void
  /** There is no answer, or no more of it. */
  end(error: SwitchyardError | undefined): void
}
/** The same call as those who wait see it. */
export interface JoinedFlight {
  /** What has arrived so far; begins anew with each `attempt`. */
  readonly chunks: readonly AnswerChunk[]
  readonly attempt: number
  readonly state: 'waiting' | 'sending' | 'landed' | 'ended'
  readonly usage: Usage | undefined
  /** What its answer cost. */
  readonly cost: NanoUsd | undefined
  readonly error: SwitchyardError | undefined
  /** Counts the caller among those who wait, and calls `wake` whenever something has changed. */
  join(wake: () => void): void
  leave(wake: () => void): void
}
export interface AnswerCache {
  /** Throws `not_cached` where the caller wants an answer from memory alone. `mayJoin`: a running twin will do. */
  lookup(call: Call, seen: GuardReport | undefined, mayJoin: boolean): CacheLookup | Promise<CacheLookup>
}

// 3 route -----------------------------------------------------------------------------------------------------------

export interface Alternative {
  readonly target: string
  readonly tier: Tier
  /** Expected price of this request there, where known. */
  readonly price: NanoUsd | undefined
}
export interface RoutePlan {
  /** Models to try in order; never empty. The first is the choice, the rest is what fallback may use. */
  readonly targets: readonly [Target, ...Target[]]
  /** Where an answer of the small side goes on if the judge refuses it; absent = nowhere, and nothing is judged. */
  readonly escalation?: readonly Target[]
  readonly tier: Tier
  readonly reason: Reason
  /** The route that was asked for; absent = a model was. */
  readonly route?: string
  /** Router score in 0..1 (expected gain of the big model); absent where a rule decided. */
  readonly score: number | undefined
  /** One of a closed set known at start (`routing/intent`); `other` = none of them, or nobody has looked. */
  readonly intent: string
  /** Every model that was considered, with its price; worked out only when somebody asks. */
  readonly alternatives: () => readonly Alternative[]
  /** Time the decision took, ms. */
  readonly tookMs: number
  /** Sees what its targets answer, so that the conversation is known when it comes back; absent = nothing would be noted. */
  readonly note?: (target: Target, chunk: AnswerChunk) => void
}
/** Throws a SwitchyardError when no model fits (unknown name: 404; nothing can take it: 400 with `param`). */
export interface Router {
  route(call: Call, admission: Admission): RoutePlan | Promise<RoutePlan>
}

// 4 reserve and 7 settle --------------------------------------------------------------------------------------------

export interface Attempt {
  readonly callId: string
  /** 1-based. */
  readonly number: number
  readonly target: Target
  /** False = if it cannot be paid for, the plan has another model. Absent = it is the last. */
  readonly isLast?: boolean
}
export interface Hold {
  readonly attempt: Attempt
  readonly amount: NanoUsd
  /** Output cap to send: the caller's, a lowered or an injected one; undefined = leave it out. */
  readonly outputCap: number | undefined
  /** The same where it is below what the caller asked for; absent = it is not. */
  readonly loweredCap?: number | undefined
  /** Price it is settled with, whatever the target costs by then. */
  readonly price?: Price | undefined
  /** The call to send in the place of the caller's own: the last one of a task, without its tools. */
  readonly call?: Call
  /**
   * Before a further try on the same target: closes the books of the try that failed and holds the same again, since each try may be
   * billed. False = there is no room for another. Absent = tries are not counted apart.
   */
  again?(failed: SendOutcome): Promise<boolean>
}
/** Cost is absent for an unpriced target. */
export interface Charge {
  readonly cost: NanoUsd | undefined
}
export interface Ledger {
  reserve(call: Call, admission: Admission, attempt: Attempt): Hold | Promise<Hold>
  /** Closes the books of an attempt, also of a failed or abandoned one; of one with several tries, those of the last. */
  settle(hold: Hold, outcome: SendOutcome): Charge | Promise<Charge>
}

// 5 send ------------------------------------------------------------------------------------------------------------

export interface ChunkConsumer {
  /** Takes decoded events in order. False = stop reading until `drained()` resolves. */
  chunk(chunk: AnswerChunk): boolean
  drained(): Promise<void>
  /** Names of what was left out of the request for this upstream; called before it is sent, if there are any. */
  dropped?(names: readonly string[]): void
}
/**
 * What an attempt without a whole answer costs: `none` = it never reached the upstream, or was refused there before any work (4xx);
 * `used` = its `usage`, reported or counted from above; `unknown` = it was sent, and what it cost cannot be known from here.
 */
export type Billing = 'none' | 'used' | 'unknown'
export type SendOutcome =
  | { readonly kind: 'complete'; readonly usage: Usage }
  | {
      readonly kind: 'failed'
      readonly error: SwitchyardError
      /** True once a content event was handed to the consumer: no retry, no fallback after that. */
      readonly contentSent: boolean
      /** Undefined = nothing of an answer was seen. Otherwise what was reported, or an own upper count. */
      readonly usage: Usage | undefined
      readonly billing: Billing
      /** True = another model may do better (connect error, 5xx, 429, open breaker, context too long). */
      readonly fallback: boolean
    }
  | {
      readonly kind: 'aborted'
      readonly usage: Usage | undefined
      readonly billing: Billing
      readonly contentSent: boolean
    }
export interface SendResult {
  readonly outcome: SendOutcome
  /** HTTP tries this send needed, retries on replicas included. */
  readonly tries: number
  /** Fields left out because this target cannot express them and leaving them out changes no meaning. */
  readonly dropped: readonly string[]
}
/** Sends one attempt to one target: picks a replica, retries before the first content, decodes. Never throws for an upstream's fault. */
export interface Sender {
  send(call: Call, hold: Hold, consumer: ChunkConsumer): Promise<SendResult>
}

// 6 judge -----------------------------------------------------------------------------------------------------------

/**
 * How much of an answer is held back until it is judged: all of it, or its beginning, so that a stream flows as soon as that is
 * accepted. What was shown cannot be taken back.
 */
export type Watch = 'nothing' | 'beginning' | 'whole'
export type Verdict =
  | { readonly accept: true }
  /** `reason` is one of a closed set: header `x-escalation-reason`, log field and metric label alike. */
  | { readonly accept: false; readonly reason: string }
/** Asks another model the same; its answer goes to the judge alone, and onto the bill. Undefined = it gave none. */
export type Ask = (target: Target) => Promise<SentAnswer | undefined>
export interface Judge {
  watch(call: Call, plan: RoutePlan): Watch
  /** The call to send where the verdict needs more of the answer than was asked for (log-probabilities), or the call itself. */
  asks(call: Call, plan: RoutePlan, target: Target): Call
  /** Of a stream's beginning; undefined = more of it is needed. */
  begins(call: Call, plan: RoutePlan, chunks: readonly AnswerChunk[]): Verdict | undefined
  judge(call: Call, plan: RoutePlan, answer: SentAnswer, ask: Ask): Verdict | Promise<Verdict>
}

// 9 report ----------------------------------------------------------------------------------------------------------

export interface SentAnswer {
  readonly target: Target
  readonly chunks: readonly AnswerChunk[]
  readonly usage: Usage
}
export type Result = 'ok' | 'refused' | 'failed' | 'cut' | 'aborted'
/** The one record of a finished request; metrics, log, ledger and feedback all read it. Holds no prompt, answer or key. */
export interface FinishedRequest {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly taskId: string | undefined
  readonly taskType: string
  readonly model: string
  readonly stream: boolean
  readonly result: Result
  readonly errorCode: string | undefined
  /** For the log only. */
  readonly errorDetail: string | undefined
  readonly status: number
  readonly tier: Tier | 'cache' | undefined
  readonly upstream: string | undefined
  readonly target: string | undefined
  readonly reason: Reason | undefined
  /** Why the small side's answer was not sent; undefined = it was not refused. */
  readonly escalation: string | undefined
  readonly intent: string
  readonly score: number | undefined
  readonly cache: CacheResult
  /** Why the cache was passed by, from a closed set. */
  readonly cacheWhy?: string | undefined
  readonly attempts: number
  readonly usage: Usage | undefined
  /** What all attempts cost together; undefined where an attempt went to an unpriced model. */
  readonly cost: NanoUsd | undefined
  readonly savedUsd: NanoUsd
  readonly durationMs: number
  /** Time until the first content event arrived from the upstream; undefined without one. */
  readonly firstContentMs: number | undefined
  /** Time spent waiting for upstreams; duration minus this is our own overhead. */
  readonly upstreamMs: number
  readonly routerMs: number
  readonly dropped: readonly string[]
  /** Absent = nothing was found, or nobody looked. */
  readonly guard?: GuardReport | undefined
}
export interface Reporter {
  finished(record: FinishedRequest): void
}

// The answer's way out ------------------------------------------------------------------------------------------------

export interface AnswerHead {
  readonly tier: Tier | 'cache'
  readonly upstream: string
  readonly reason: Reason
  readonly cache: CacheResult
  readonly attempts: number
  readonly simulated: boolean
  readonly taskId: string | undefined
  readonly standing?: TaskStanding
  readonly dropped: readonly string[]
  /** Output cap that was sent in the place of a larger one of the caller's. */
  readonly loweredCap?: number
  /** What the request asked for; absent = a model was named, and nobody has looked. */
  readonly intent?: string | undefined
  /** Why the small side's answer was not sent. */
  readonly escalation?: string
  readonly guard?: GuardReport | undefined
  /** Present = the answer is out of memory. */
  readonly entry?: CacheEntry
}
/**
 * Where an answer goes: an HTTP response in some dialect, or the agent loop. `prepare` comes before every attempt and says what
 * the answer's head would be; the first `chunk` makes it final. Until then nothing has been shown to the caller and everything
 * may still be tried elsewhere.
 */
export interface AnswerSink extends ChunkConsumer {
  prepare(head: AnswerHead): void
  /** The answer is whole. */
  close(usage: Usage, cost: NanoUsd | undefined): void
  /** No answer, or no more of it: an error response, or an error frame at the end of an open stream. */
  fail(error: SwitchyardError): void
}

export interface Steps {
  readonly guard: Guard
  readonly admitter: Admitter
  readonly cache: AnswerCache
  readonly router: Router
  readonly ledger: Ledger
  readonly sender: Sender
  readonly judge: Judge
  readonly reporter: Reporter
  /** Monotonic milliseconds. */
  readonly now: () => number
}
