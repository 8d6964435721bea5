import type { UpstreamKind } from '../gateway/steps.ts'

export interface Timeouts {
  /** TCP and TLS handshake, ms. */
  readonly connectMs: number
  /** From sending to the first event (stream) or the head (whole answer), ms: a head alone is no sign of life, vLLM sends it while the request queues. */
  readonly firstByteMs: number
  /** Longest silence between bytes that carry content, ms; comments do not count. */
  readonly idleMs: number
  /** Whole attempt, ms. */
  readonly totalMs: number
}
export interface BreakerOptions {
  /** Failures in a row that open the breaker. */
  readonly failures: number
  /** How long it stays open before one request may try again, ms. */
  readonly openMs: number
}
/** How an upstream is asked: as the caller asked, always for a stream, or by kind and host (`auto`). */
export type Ask = 'auto' | 'stream' | 'as-asked'

export interface UpstreamOptions {
  readonly name: string
  readonly kind: UpstreamKind
  /** Base URLs up to and including what every path of the kind begins with (`/v1`, `/v1beta`). */
  readonly replicas: readonly string[]
  readonly apiKey: { reveal(): string } | undefined
  /** Fixed headers that the operator sends with every request. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: Timeouts
  /** Further tries on this upstream before the first content. */
  readonly retries: number
  readonly breaker: BreakerOptions | 'off'
  readonly ask: Ask
  /** Request fields that callers may send here although nobody else gets them. */
  readonly passFields: readonly string[]
  /** Hosts whose pictures are fetched and sent as bytes; absent = none. */
  readonly fetchImages?: readonly string[]
  /** Azure's version of the interface; with it the model is a deployment below a base URL that ends in `/openai`. */
  readonly apiVersion?: string
  /** Header that carries the key; absent = by host. */
  readonly authHeader?: 'authorization' | 'api-key'
}
