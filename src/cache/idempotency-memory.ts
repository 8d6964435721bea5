import { LRUCache } from 'lru-cache'
import type { IdempotencyEntry, IdempotencyStore } from '../gateway/idempotency.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Memory for answers that may be replayed; the oldest go first. */
const MAX_BYTES = 64 * 1024 * 1024
const ENTRY_BYTES = 512

/** Idempotency keys of the last 24 hours, in this process, within 64 MiB. */
export class IdempotencyMemory implements IdempotencyStore {
  readonly #entries = new LRUCache<string, IdempotencyEntry>({ maxSize: MAX_BYTES, ttl: DAY_MS, ttlAutopurge: false })

  get(id: string): IdempotencyEntry | undefined {
    return this.#entries.get(id)
  }

  set(id: string, entry: IdempotencyEntry): void {
    this.#entries.set(id, entry, { size: ENTRY_BYTES + id.length })
  }

  resize(id: string, bytes: number): void {
    const entry = this.#entries.peek(id)
    if (entry !== undefined) this.#entries.set(id, entry, { size: ENTRY_BYTES + id.length + bytes })
  }

  delete(id: string): void {
    this.#entries.delete(id)
  }
}
