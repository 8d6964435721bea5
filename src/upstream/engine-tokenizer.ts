import { Agent, request as send } from 'undici'
import type { Target } from '../gateway/steps.ts'
import { encodeChatRequest } from '../protocol/openai-chat/encode-request.ts'
import type { ChatRequest } from '../protocol/request.ts'
import type { UpstreamOptions } from './options.ts'

const DEADLINE_MS = 250
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** Engines close idle connections after 5 s. */
const KEEP_ALIVE_MS = 4000
/** What a template may add that `/tokenize` is not told: the reasoning effort, for one. */
const SLACK_TOKENS = 16
/** Harmony prompts are written by a library and not by the template that `/tokenize` uses. */
const HARMONY = /gpt-oss/i

type TokenizeTarget = Pick<Target, 'kind' | 'model' | 'extraBody'> & { readonly upstream: string }

/**
 * Counts a prompt at the engine that would answer it: vLLM's `POST /tokenize` renders the same template with the same tokeniser.
 * Undefined where its count is not the prompt's: pictures (counted as one mark each), gpt-oss, fields that a caller was let through.
 */
export class EngineTokenizer {
  readonly #upstreams: ReadonlyMap<string, UpstreamOptions>
  readonly #deadlineMs: number
  readonly #agent = new Agent({
    connections: 8,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: DEADLINE_MS, rejectUnauthorized: true },
  })
  #next = 0

  /** `deadlineMs` is the longest wait for a count, 250 by default. */
  constructor(upstreams: readonly UpstreamOptions[], deadlineMs: number = DEADLINE_MS) {
    this.#upstreams = new Map(upstreams.map((each) => [each.name, each]))
    this.#deadlineMs = deadlineMs
  }

  async refine(request: ChatRequest, target: TokenizeTarget, signal: AbortSignal): Promise<number | undefined> {
    const upstream = this.#upstreams.get(target.upstream)
    if (upstream === undefined || target.kind !== 'vllm' || !isCountable(request, target)) return undefined
    try {
      const count = await this.#ask(upstream, bodyOf(request, target), signal)
      return Number.isSafeInteger(count) && count > 0 ? count + SLACK_TOKENS : undefined
    } catch {
      // Late, down, another server: the cheap bound stands.
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(upstream: UpstreamOptions, body: string, signal: AbortSignal): Promise<number> {
    const base = upstream.replicas[(this.#next += 1) % upstream.replicas.length] as string
    const key = upstream.apiKey?.reveal()
    const answer = await send(new URL(`${base.replace(/\/v1\/?$/, '')}/tokenize`), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...upstream.headers,
      },
      body,
      dispatcher: this.#agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.#deadlineMs)]),
    })
    if (answer.statusCode !== 200) {
      await answer.body.dump()
      return 0
    }
    // `count` comes first and the tokens after it; parsing all of them would cost more than the count is worth.
    return countIn(await answer.body.text())
  }
}

function countIn(body: string): number {
  return Number(
    /^\s*\{\s*"count"\s*:\s*(\d{1,12})\b/.exec(body)?.[1] ?? (JSON.parse(body) as { count?: unknown }).count,
  )
}

function isCountable(request: ChatRequest, target: TokenizeTarget): boolean {
  // Several texts, each a prompt of its own.
  if (request.embed !== undefined) return false
  if (HARMONY.test(target.model) || Object.keys(request.passed).length > 0) return false
  return request.messages.every(
    ({ content }) => typeof content === 'string' || content === null || content.every((part) => 'text' in part),
  )
}

/** The prompt's part of the body that would be sent, with the operator's fields, which may change the template. */
function bodyOf(request: ChatRequest, target: TokenizeTarget): string {
  // No template, and with it none of what templates do to texts, such as trimming them.
  if (request.prompt !== undefined) return JSON.stringify({ model: target.model, prompt: request.prompt })
  const { body } = encodeChatRequest(request, target, { stream: false, outputCap: undefined })
  const { model, messages, tools } = JSON.parse(body) as Readonly<Record<string, unknown>>
  return JSON.stringify({ ...target.extraBody, model, messages, tools })
}
