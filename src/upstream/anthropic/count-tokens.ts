import { Agent, request as send } from 'undici'
import type { Target } from '../../gateway/steps.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { UpstreamOptions } from '../options.ts'
import { anthropicAdapter } from './adapter.ts'

/** The count is a round trip to a hosted service; its own guide promises no time. */
const DEADLINE_MS = 1000
const MAX_ANSWER_BYTES = 64 * 1024
/** After a refusal for its rate limit nobody asks again for this long, ms. */
const REST_MS = 10_000
/** Fields of a message that the count takes, too (API reference, "Count tokens in a Message"). */
const COUNTED = ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config'] as const
/** The count is an estimate by its own guide, and may differ "by a small amount": a twentieth of it and a few dozen tokens go on top. */
const MARGIN = 0.05
const SLACK_TOKENS = 64

type CountTarget = Pick<Target, 'kind' | 'model' | 'extraBody'> & { readonly upstream: string }

/**
 * Counts a prompt by Anthropic's `POST /v1/messages/count_tokens`, which costs nothing and has a rate limit of its own. It is only
 * asked where the bound in bytes does not fit. Undefined where its count is not the prompt's, late, or refused.
 */
export class AnthropicCounter {
  readonly #upstreams: ReadonlyMap<string, UpstreamOptions>
  readonly #deadlineMs: number
  readonly #now: () => number
  readonly #restingUntil = new Map<string, number>()
  readonly #agent = new Agent({
    connections: 8,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: DEADLINE_MS, rejectUnauthorized: true },
  })

  /** `deadlineMs` is the longest wait for a count; `now` gives monotonic milliseconds. */
  constructor(
    upstreams: readonly UpstreamOptions[],
    { deadlineMs = DEADLINE_MS, now = () => performance.now() }: { deadlineMs?: number; now?: () => number } = {},
  ) {
    this.#upstreams = new Map(upstreams.map((each) => [each.name, each]))
    this.#deadlineMs = deadlineMs
    this.#now = now
  }

  /** The count and its margin. */
  async refine(request: ChatRequest, target: CountTarget, signal: AbortSignal): Promise<number | undefined> {
    const count = await this.count(request, target, signal)
    return count === undefined ? undefined : Math.ceil(count * (1 + MARGIN)) + SLACK_TOKENS
  }

  /** The count as Anthropic says it. */
  async count(request: ChatRequest, target: CountTarget, signal: AbortSignal): Promise<number | undefined> {
    const upstream = this.#upstreams.get(target.upstream)
    if (upstream === undefined || target.kind !== 'anthropic' || this.#isResting(upstream.name)) return undefined
    // Fields that nobody here reads may say more than the count is told.
    if (Object.keys(request.passed).length > 0 || Object.keys(target.extraBody).length > 0) return undefined
    try {
      const count = await this.#ask(upstream, request, target, signal)
      return Number.isSafeInteger(count) && count > 0 ? count : undefined
    } catch {
      // Late, down, a request that the API refuses or cannot be told: the cheap bound stands.
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(
    upstream: UpstreamOptions,
    request: ChatRequest,
    target: CountTarget,
    signal: AbortSignal,
  ): Promise<number> {
    const encoded = anthropicAdapter.encode(request, target as Target, { stream: false, outputCap: undefined })
    const whole = JSON.parse(encoded.body) as Readonly<Record<string, unknown>>
    const body = Object.fromEntries(COUNTED.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]])))
    const answer = await send(`${upstream.replicas[0] as string}/messages/count_tokens`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...anthropicAdapter.headers(upstream.apiKey?.reveal()),
        ...encoded.headers,
        ...upstream.headers,
      },
      body: JSON.stringify(body),
      dispatcher: this.#agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.#deadlineMs)]),
    })
    if (answer.statusCode !== 200) {
      if (answer.statusCode === 429) this.#restingUntil.set(upstream.name, this.#now() + REST_MS)
      await answer.body.dump()
      return 0
    }
    return Number(((await answer.body.json()) as { readonly input_tokens?: unknown }).input_tokens)
  }

  #isResting(upstream: string): boolean {
    return this.#now() < (this.#restingUntil.get(upstream) ?? 0)
  }
}
