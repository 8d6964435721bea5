import type { BreakerOptions } from './options.ts'

export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'half-open' }

/**
 * Circuit breaker of one replica: after so many failures in a row it refuses for a while, then lets one request through and
 * closes or opens again by how that one ends.
 */
export class Breaker {
  readonly #options: BreakerOptions | 'off'
  readonly #now: () => number
  #state: BreakerState = { kind: 'closed', failures: 0 }

  constructor(options: BreakerOptions | 'off', now: () => number) {
    this.#options = options
    this.#now = now
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Whether a request may go through now. Asking changes nothing; `enter` does. */
  get isAvailable(): boolean {
    switch (this.#state.kind) {
      case 'closed':
        return true
      case 'open':
        return this.#now() >= this.#state.untilMs
      case 'half-open':
        return false
      default:
        return this.#state satisfies never
    }
  }

  /** A request goes through. */
  enter(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'half-open' }
  }

  succeeded(): void {
    if (this.#state.kind !== 'closed' || this.#state.failures > 0) this.#state = { kind: 'closed', failures: 0 }
  }

  failed(): void {
    if (this.#options === 'off') return
    const failures = this.#state.kind === 'closed' ? this.#state.failures + 1 : this.#options.failures
    this.#state =
      failures >= this.#options.failures
        ? { kind: 'open', untilMs: this.#now() + this.#options.openMs }
        : { kind: 'closed', failures }
  }

  /** A request ended without telling anything about the replica (its caller left). */
  unknown(): void {
    if (this.#state.kind === 'half-open') this.#state = { kind: 'open', untilMs: this.#now() }
  }
}
