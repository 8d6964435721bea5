import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, ChunkConsumer, Hold, Sender, SendOutcome, SendResult, Target } from '../gateway/steps.ts'
import { SwitchyardError, type ErrorCode } from '../shared/errors.ts'
import type { EncodedRequest } from './adapter.ts'
import { adapterOf } from './adapter-of.ts'
import { Attempt, type AttemptEnd } from './attempt.ts'
import { withFetchedImages } from './fetch-images.ts'
import type { UpstreamOptions } from './options.ts'
import { Replica } from './replica.ts'
import { unsaidBy } from './unsaid.ts'
import { backoffMs, mayRetry, RetryBudget } from './retry.ts'

/** Repeats after a connection that was closed under our hands; more than one idle connection may have been closed at once. */
const MAX_STALE_REPEATS = 5
/** Faults of a replica; others say something about the request or about limits. */
const REPLICA_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_error',
  'upstream_garbage',
  'upstream_empty',
  'upstream_stream_truncated',
  'upstream_timeout',
  'upstream_idle_timeout',
  'upstream_overloaded',
  'upstream_tls',
])
/** Faults that another model cannot mend. */
const CALLERS_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'upstream_refused_request',
  'content_policy_violation',
  'upstream_event_too_large',
])

export interface ReplicaStatus {
  readonly upstream: string
  /** Position in the configuration, from 0: a URL may hold what a metric should not show. */
  readonly replica: string
  readonly isUp: boolean
  readonly inflight: number
}

export interface SenderOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** 0 <= random < 1. */
  readonly random: () => number
  readonly userAgent: string
}

interface Upstream {
  readonly options: UpstreamOptions
  readonly replicas: readonly Replica[]
  readonly headers: Readonly<Record<string, string>>
  /** Always ask for a stream. */
  readonly alwaysStream: boolean
  readonly isHostedOpenAi: boolean
  readonly isDeployment: boolean
}

interface OutgoingRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Sends attempts to upstreams: picks a replica, keeps the breakers and the retry budget, retries before the first content. */
export class UpstreamSender implements Sender {
  readonly #options: SenderOptions
  readonly #budget = new RetryBudget()
  #upstreams: ReadonlyMap<string, Upstream>

  constructor(upstreams: readonly UpstreamOptions[], options: SenderOptions) {
    this.#options = options
    this.#upstreams = new Map(upstreams.map((each) => [each.name, this.#open(each)]))
  }

  /** Takes new upstreams over; those that did not change keep their connections and breakers. */
  async reload(upstreams: readonly UpstreamOptions[]): Promise<void> {
    const old = this.#upstreams
    this.#upstreams = new Map(
      upstreams.map((each) => {
        const known = old.get(each.name)
        return [each.name, known !== undefined && isSame(known.options, each) ? known : this.#open(each)]
      }),
    )
    const kept = new Set(this.#upstreams.values())
    // Requests under way end on their old connections.
    await Promise.all(
      [...old.values()]
        .filter((each) => !kept.has(each))
        .flatMap((each) => each.replicas.map((replica) => replica.pool.close())),
    )
  }

  status(): readonly ReplicaStatus[] {
    return [...this.#upstreams.values()].flatMap(({ options, replicas }) =>
      replicas.map((replica, index) => ({
        upstream: options.name,
        replica: String(index),
        isUp: replica.breaker.state.kind !== 'open',
        inflight: replica.inflight,
      })),
    )
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#upstreams.values()].flatMap((each) => each.replicas.map((replica) => replica.pool.destroy())),
    )
  }

  async send(call: Call, hold: Hold, consumer: ChunkConsumer): Promise<SendResult> {
    const { target } = hold.attempt
    const upstream = this.#upstreams.get(target.upstream)
    if (upstream === undefined)
      return failed(new SwitchyardError('upstream_unavailable', 'The upstream of this model was removed.'))
    const adapter = adapterOf(target.kind, target.api)
    const stream = call.request.stream || upstream.alwaysStream
    let encoded: EncodedRequest
    let dropped: readonly string[]
    try {
      const unsaid = unsaidBy(adapter, call.request)
      const { fetchImages } = upstream.options
      const request =
        fetchImages === undefined
          ? call.request
          : await withFetchedImages(call.request, { hosts: fetchImages }, call.signal)
      encoded = adapter.encode(request, target, {
        stream,
        outputCap: hold.outputCap,
        passFields: upstream.options.passFields,
        isHostedOpenAi: upstream.isHostedOpenAi,
        apiVersion: upstream.options.apiVersion,
        isDeployment: upstream.isDeployment,
      })
      dropped = unsaid.length === 0 ? encoded.dropped : [...new Set([...unsaid, ...encoded.dropped])]
    } catch (thrown) {
      // What this upstream cannot be told was never sent and costs nothing; another model may understand it.
      if (thrown instanceof SwitchyardError) return failed(thrown)
      throw thrown
    }
    if (dropped.length > 0) consumer.dropped?.(dropped)
    const bytes = Buffer.from(encoded.body)
    const headers = encoded.headers === undefined ? upstream.headers : { ...upstream.headers, ...encoded.headers }
    const tokens = Math.ceil(bytes.length / 4) + (hold.outputCap ?? 256)
    const sent = { request: call.request, target }
    this.#budget.request()
    let tries = 0
    let repeats = 0
    let last: Replica | undefined
    for (;;) {
      const replica = pick(upstream.replicas, last)
      if (replica === undefined) return failed(unavailable(target), tries, dropped)
      tries += 1
      const attempt = new Attempt({
        adapter,
        consumer,
        timeouts: upstream.options.timeouts,
        stream,
        requestBytes: bytes.length,
        choices: call.request.n,
        sent,
        now: this.#options.now,
      })
      const end = await this.#try(call, replica, attempt, { path: encoded.path, headers, body: bytes }, tokens)
      if (end.kind !== 'failed') return { outcome: end, tries, dropped }
      const { error, contentSent } = end
      const again = async (): Promise<boolean> => (await hold.again?.(toOutcome(end))) ?? true
      if (end.isStaleSocket && repeats < MAX_STALE_REPEATS && !call.signal.aborted) {
        if (!(await again())) return { outcome: toOutcome(end), tries, dropped }
        repeats += 1
        tries -= 1
        continue
      }
      const hasOther = upstream.replicas.some((each) => each !== replica && each.breaker.isAvailable)
      if (
        !mayRetry({
          code: error.code,
          contentSent,
          tries,
          retries: upstream.options.retries,
          retryAfterMs: error.retryAfterMs,
          hasOther,
        }) ||
        !this.#budget.take()
      ) {
        return { outcome: toOutcome(end), tries, dropped }
      }
      await sleep(backoffMs(tries, this.#options.random), undefined, { signal: call.signal }).catch(() => {})
      if (call.signal.aborted) {
        const { usage, billing } = end
        return { outcome: { kind: 'aborted', usage, billing, contentSent }, tries, dropped }
      }
      if (!(await again())) return { outcome: toOutcome(end), tries, dropped }
      last = replica
    }
  }

  async #try(
    call: Call,
    replica: Replica,
    attempt: Attempt,
    { path, headers, body }: OutgoingRequest,
    tokens: number,
  ): Promise<AttemptEnd> {
    const { breaker } = replica
    const onAbort = (): void => attempt.abort()
    breaker.enter()
    replica.inflight += 1
    replica.inflightTokens += tokens
    call.signal.addEventListener('abort', onAbort, { once: true })
    if (call.signal.aborted) attempt.abort()
    else replica.pool.dispatch({ path: replica.basePath + path, method: 'POST', headers, body }, attempt)
    const end = await attempt.result
    call.signal.removeEventListener('abort', onAbort)
    replica.inflight -= 1
    replica.inflightTokens -= tokens
    if (end.kind === 'complete') breaker.succeeded()
    else if (end.kind === 'aborted') breaker.unknown()
    else if (REPLICA_FAULTS.has(end.error.code)) breaker.failed()
    else breaker.succeeded()
    return end
  }

  #open(options: UpstreamOptions): Upstream {
    return {
      options,
      replicas: options.replicas.map((url) => new Replica(url, options, this.#options.now)),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'user-agent': this.#options.userAgent,
        ...adapterOf(options.kind).headers(options.apiKey?.reveal(), authHeaderOf(options)),
        ...options.headers,
      },
      alwaysStream: options.ask === 'stream' || (options.ask === 'auto' && !noticesHangUp(options)),
      isHostedOpenAi: options.kind === 'openai' && isHostedOpenAi(options),
      isDeployment: options.apiVersion !== undefined && options.replicas.every((url) => url.endsWith('/openai')),
    }
  }
}

/**
 * Whether a server stops working for a non-stream caller that has left. vLLM does; hosted OpenAI and Azure do not compute on our
 * hardware (and refuse streams of some models to some accounts). llama.cpp and `transformers serve` go on to the end.
 */
function noticesHangUp(options: UpstreamOptions): boolean {
  switch (options.kind) {
    case 'openai':
      return isHostedOpenAi(options)
    case 'anthropic':
      // Long answers outlast every time-out on the way unless they are streamed, and what a caller that leaves has used is known.
      return false
    case 'tgi':
      // It does notice, but only the end of its streams tells how long the prompt was.
      return false
    case 'vllm':
    case 'google':
    case 'simulated':
    case 'embedded':
      return true
    default:
      return options.kind satisfies never
  }
}

/** Where the key goes: as the operator says, at Azure into its own header, everywhere else into `authorization`. */
function authHeaderOf({ authHeader, replicas }: UpstreamOptions): 'authorization' | 'api-key' {
  if (authHeader !== undefined) return authHeader
  return replicas.every((url) => new URL(url).hostname.endsWith('.azure.com')) && replicas.length > 0
    ? 'api-key'
    : 'authorization'
}

/** Whether an upstream is OpenAI's own API, or Azure's (which alone has versions). */
export function isHostedOpenAi(options: UpstreamOptions): boolean {
  if (options.apiVersion !== undefined) return true
  return options.replicas.every((url) => /(?:^|\.)(?:openai\.com|openai\.azure\.com)$/.test(new URL(url).hostname))
}

/** The available replica with the least tokens under way; the one that has just failed only where there is no other. */
function pick(replicas: readonly Replica[], failed: Replica | undefined): Replica | undefined {
  let best: Replica | undefined
  for (const replica of replicas) {
    if (!replica.breaker.isAvailable || replica === failed) continue
    if (best === undefined || replica.inflightTokens < best.inflightTokens) best = replica
  }
  return best ?? (failed?.breaker.isAvailable === true ? failed : undefined)
}

function unavailable(target: Target): SwitchyardError {
  return new SwitchyardError('upstream_unavailable', 'No server of this model is up at the moment.', {
    retryAfterMs: 1000,
    detail: `every breaker of upstream ${target.upstream} is open`,
  })
}

function failed(error: SwitchyardError, tries = 0, dropped: readonly string[] = []): SendResult {
  const outcome = {
    kind: 'failed',
    error,
    contentSent: false,
    usage: undefined,
    billing: 'none',
    fallback: true,
  } as const
  return { outcome, tries, dropped }
}

function toOutcome(end: Extract<AttemptEnd, { kind: 'failed' }>): SendOutcome {
  return {
    kind: 'failed',
    error: end.error,
    contentSent: end.contentSent,
    usage: end.usage,
    billing: end.billing,
    fallback: !CALLERS_FAULTS.has(end.error.code),
  }
}

function isSame(a: UpstreamOptions, b: UpstreamOptions): boolean {
  const plain = (options: UpstreamOptions): string => JSON.stringify({ ...options, apiKey: undefined })
  return plain(a) === plain(b) && a.apiKey?.reveal() === b.apiKey?.reveal()
}
