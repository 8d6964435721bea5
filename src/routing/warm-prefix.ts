/** Which model has a conversation's beginning in its prompt cache: a switch would have it written, and paid, again. */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Target, UpstreamKind } from '../gateway/steps.ts'
import type { Usage } from '../protocol/answer.ts'
import type { Message } from '../protocol/request.ts'
import { scopeOf } from './answer-marks.ts'

/** A conversation as it was answered last. */
interface Answered {
  readonly target: string
  /** Tokens that its prompt cache holds. */
  readonly cachedTokens: number
  /** How many messages the request had: one with fewer is another conversation that began alike. */
  readonly messages: number
  readonly untilMs: number
}

export interface WarmPrefix {
  /** Name of the target that has it. */
  readonly target: string
  readonly tokens: number
}

/** Providers cache no shorter prompt (OpenAI and most of Anthropic's models: 1,024 tokens); shorter ones leave no trace here. */
export const CACHEABLE_TOKENS = 1024

const MINUTE_MS = 60_000
/**
 * How long a prefix stays without being read. Anthropic: 5 minutes (prompt caching guide; an hour only where the caller pays for it).
 * OpenAI: 5 to 10 minutes, the lower end. The others promise nothing and are taken to be alike.
 */
const WARM_MS = 5 * MINUTE_MS

/** At most about 20 MB: 128 tenants with 1,024 conversations of some 150 bytes. */
const TENANTS = 128
const CONVERSATIONS = 1024

/** Per tenant; bounded; of this process alone. Costs the same however long a conversation is. */
export class WarmPrefixes {
  readonly #now: () => number
  readonly #tenants = new LRUCache<string, LRUCache<string, Answered>>({ max: TENANTS })

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined = nobody is warm, or it is not known. A conversation that nobody has answered yet is not looked up. */
  of(tenant: string, taskId: string | undefined, messages: readonly Message[]): WarmPrefix | undefined {
    const conversations = this.#tenants.get(tenant)
    if (conversations === undefined || messages.length < 3) return undefined
    const last = conversations.get(markOf(taskId, messages))
    if (last === undefined || last.messages >= messages.length || last.untilMs <= this.#now()) return undefined
    return { target: last.target, tokens: last.cachedTokens }
  }

  answered(
    tenant: string,
    taskId: string | undefined,
    messages: readonly Message[],
    target: Pick<Target, 'name' | 'kind'>,
    usage: Usage,
  ): void {
    let conversations = this.#tenants.get(tenant)
    if (conversations === undefined) {
      conversations = new LRUCache({ max: CONVERSATIONS })
      this.#tenants.set(tenant, conversations)
    }
    const cachedTokens = cachedBy(target.kind, usage)
    const mark = markOf(taskId, messages)
    if (cachedTokens === 0) {
      conversations.delete(mark)
      return
    }
    conversations.set(mark, {
      target: target.name,
      cachedTokens,
      messages: messages.length,
      untilMs: this.#now() + WARM_MS,
    })
  }

  forget(tenant: string): void {
    this.#tenants.delete(tenant)
  }
}

/** Anthropic keeps what it was told to keep, and reports that; the others keep every prompt. */
function cachedBy(kind: UpstreamKind, { input, cachedInput, cacheWrite }: Usage): number {
  return kind === 'anthropic' ? cachedInput + cacheWrite : input
}

/** Characters of the system prompt that tell conversations apart; its length goes in, too. */
const SYSTEM_CHARS = 512

/** A conversation keeps its task, its system prompt and its first words. Nothing of them can be read back from the mark. */
function markOf(taskId: string | undefined, messages: readonly Message[]): string {
  const [first] = messages
  const system = first?.role === 'system' || first?.role === 'developer' ? first.content : ''
  const text = typeof system === 'string' ? system : (system?.find((part) => part.type === 'text')?.text ?? '')
  return hash('sha1', `${text.length} ${text.slice(0, SYSTEM_CHARS)}\n${scopeOf(taskId, messages)}`, 'base64url')
}
