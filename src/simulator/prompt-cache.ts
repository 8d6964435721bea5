/**
 * A provider's cache of prompt prefixes. Marked caching is Anthropic's (docs "Prompt caching": up to four breakpoints, reads look back
 * at most 20 blocks, longer-lived breakpoints first); automatic caching is OpenAI's and Google's (whole steps of a long prefix).
 */
import { createHash, type Hash } from 'node:crypto'
import { tokenize } from './tokens.ts'
import { uncached, type InputTokens } from './used-tokens.ts'

/** A piece of a prompt, in the order in which it counts. */
export interface Segment {
  readonly text: string
  readonly tokens: number
  /** A breakpoint stands behind it. */
  readonly ttl?: '5m' | '1h'
}

const TTL_MS = { '5m': 300_000, '1h': 3_600_000 } as const
const LOOK_BACK = 20
const ENTRIES = 20_000

export class PromptCache {
  readonly #now: () => number
  readonly #until = new Map<string, { readonly untilMs: number; readonly ttlMs: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Prefixes up to a breakpoint are read where they were written before, and written where not; shorter ones than `least` are neither. */
  marked(model: string, segments: readonly Segment[], least: number): InputTokens {
    const prefixes = prefixesOf(model, segments)
    const total = prefixes.at(-1)?.tokens ?? 0
    const marks = segments.flatMap((segment, at) =>
      segment.ttl === undefined || (prefixes[at] as Prefix).tokens < least ? [] : [{ at, ttl: segment.ttl }],
    )
    let read = 0
    for (const { at } of marks) {
      for (let i = at; i > at - LOOK_BACK && i >= 0; i--) {
        const { key, tokens } = prefixes[i] as Prefix
        if (!this.#touch(key)) continue
        read = Math.max(read, tokens)
        break
      }
    }
    const lastOf = (ttl?: string): number =>
      marks.reduce(
        (most, mark) => (ttl === undefined || mark.ttl === ttl ? (prefixes[mark.at] as Prefix).tokens : most),
        0,
      )
    const hour = Math.max(read, lastOf('1h'))
    const end = Math.max(hour, lastOf())
    for (const { at, ttl } of marks) this.#write((prefixes[at] as Prefix).key, TTL_MS[ttl])
    return { uncached: total - end, cachedRead: read, cacheWrite5m: end - hour, cacheWrite1h: hour - read }
  }

  /**
   * The longest known prefix in whole steps is read, though never the whole prompt; nobody pays for what is written.
   * `text` is any rendering of the prompt that begins alike where the prompt does.
   */
  automatic(model: string, text: string, total: number, least: number, step: number): InputTokens {
    if (total < least) return uncached(total)
    const tokens = tokenize(text)
    const hash = createHash('sha256').update(model)
    let read = 0
    for (let at = step; at <= Math.min(tokens.length, total - 1); at += step) {
      hash.update(tokens.slice(at - step, at).join(''))
      const key = digestOf(hash)
      if (at >= least && this.#touch(key)) read = at
      this.#write(key, TTL_MS['5m'])
    }
    return { ...uncached(total - read), cachedRead: read }
  }

  /** True = it is there; reading keeps it alive. */
  #touch(key: string): boolean {
    const entry = this.#until.get(key)
    if (entry === undefined || entry.untilMs <= this.#now()) return false
    this.#write(key, entry.ttlMs)
    return true
  }

  #write(key: string, ttlMs: number): void {
    this.#until.delete(key)
    this.#until.set(key, { untilMs: this.#now() + ttlMs, ttlMs })
    if (this.#until.size > ENTRIES) this.#until.delete(this.#until.keys().next().value as string)
  }
}

interface Prefix {
  readonly key: string
  /** Tokens up to here. */
  readonly tokens: number
}

function prefixesOf(model: string, segments: readonly Segment[]): readonly Prefix[] {
  const hash = createHash('sha256').update(model)
  let tokens = 0
  return segments.map((segment) => {
    hash.update(`\n${segment.text.length}:`).update(segment.text)
    tokens += segment.tokens
    return { key: digestOf(hash), tokens }
  })
}

function digestOf(hash: Hash): string {
  return hash.copy().digest('base64')
}
