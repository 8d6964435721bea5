import { LRUCache } from 'lru-cache'
import type { AnswerChunk, Usage } from '../protocol/answer.ts'
import { newId } from '../shared/ids.ts'
import type { NanoUsd } from '../shared/money.ts'
import { sizeOf } from './condense.ts'

/** An answer that is kept. */
export interface Entry {
  /** `ce_…`: what callers know it by. */
  readonly id: string
  readonly key: string
  readonly tenant: string
  readonly scope: string
  /** What the caller asked for, the route behind that, and the model that answered. */
  readonly asked: string
  readonly route: string | undefined
  readonly model: string
  readonly tags: readonly string[]
  readonly chunks: readonly AnswerChunk[]
  readonly usage: Usage
  readonly cost: NanoUsd
  /** Monotonic milliseconds. */
  readonly storedMs: number
  readonly endsMs: number
}

/** Which entries are meant; what is absent does not matter. */
export interface EntryFilter {
  readonly id?: string | undefined
  readonly tenant?: string | undefined
  readonly tag?: string | undefined
  readonly model?: string | undefined
  readonly route?: string | undefined
}

/** Keys that are never used again. */
const MOST_BANNED = 10_000
const OVERHEAD_BYTES = 1024

/** The answers of this process within so many bytes; what was not asked for the longest goes first. */
export class Entries {
  readonly #entries: LRUCache<string, Entry>
  readonly #keys = new Map<string, string>()
  readonly #banned = new LRUCache<string, true>({ max: MOST_BANNED })

  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      dispose: (entry) => this.#keys.delete(entry.id),
    })
  }

  get count(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#entries.calculatedSize
  }

  get(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || nowMs < entry.endsMs) return entry
    this.#entries.delete(key)
    return undefined
  }

  add(entry: Omit<Entry, 'id'>): void {
    const kept = { ...entry, id: newId('ce_') }
    this.#entries.set(kept.key, kept, { size: OVERHEAD_BYTES + sizeOf(kept.chunks) })
    // One that is larger than all of the memory is not taken.
    if (this.#entries.has(kept.key)) this.#keys.set(kept.id, kept.key)
  }

  byId(id: string): Entry | undefined {
    const key = this.#keys.get(id)
    return key === undefined ? undefined : this.#entries.peek(key)
  }

  /** Removes an entry, and where `isForGood` lets its request never be answered from memory again (until a restart). */
  remove(entry: Entry, isForGood: boolean): void {
    this.#entries.delete(entry.key)
    if (isForGood) this.#banned.set(entry.key, true)
  }

  isBanned(key: string): boolean {
    return this.#banned.size > 0 && this.#banned.has(key)
  }

  matching({ id, tenant, tag, model, route }: EntryFilter): readonly Entry[] {
    const found: Entry[] = []
    for (const entry of this.#entries.values()) {
      if (id !== undefined && entry.id !== id) continue
      if (tenant !== undefined && entry.tenant !== tenant) continue
      if (tag !== undefined && !entry.tags.includes(tag)) continue
      if (model !== undefined && entry.model !== model && entry.asked !== model) continue
      if (route !== undefined && entry.route !== route) continue
      found.push(entry)
    }
    return found
  }
}
