import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { EmbeddedText } from './encoder.ts'

/** A vector of 384 floats, the key of 44 characters and what a table needs for an entry. */
const ENTRY_BYTES = 384 * 4 + 264

/**
 * The vectors of texts that were asked for lately. Texts are known by their SHA-256, so that no prompt stays in memory for it. A text that
 * was read whole has one vector, however much of it somebody wants to read; one that was cut has one per length.
 */
export class VectorStore {
  readonly #vectors: LRUCache<string, EmbeddedText>

  /** @param bytes Most memory, counted in entries of about 1.8 KB. */
  constructor(bytes: number) {
    this.#vectors = new LRUCache({ max: Math.max(1, Math.floor(bytes / ENTRY_BYTES)) })
  }

  get size(): number {
    return this.#vectors.size
  }

  get(digest: string, maxTokens: number): EmbeddedText | undefined {
    const whole = this.#vectors.get(digest)
    return whole !== undefined && whole.tokens <= maxTokens ? whole : this.#vectors.get(`${digest} ${maxTokens}`)
  }

  set(digest: string, maxTokens: number, embedded: EmbeddedText): void {
    this.#vectors.set(embedded.isCut ? `${digest} ${maxTokens}` : digest, embedded)
  }
}

export function digestOf(text: string): string {
  return hash('sha256', text, 'base64')
}
