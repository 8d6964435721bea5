import type { ChatRequest } from '../../protocol/request.ts'
import type { BoundTarget } from './prompt-rules.ts'

/** A target as a refiner sees it: some ask the target's own server. */
export interface RefinerTarget extends BoundTarget {
  /** Name of its upstream. */
  readonly upstream: string
}

/** Counts a prompt with the model's own tokeniser, off the event loop. */
export interface TokenRefiner {
  /**
   * Most prompt tokens of the request at this target; undefined where it cannot say, or not in time: then the cheap bound stands.
   * Never throws.
   */
  refine(request: ChatRequest, target: RefinerTarget, signal: AbortSignal): Promise<number | undefined>
}

/** Asks several refiners in turn; the first that can say decides. */
export class FirstRefiner implements TokenRefiner {
  readonly #refiners: readonly TokenRefiner[]

  constructor(refiners: readonly TokenRefiner[]) {
    this.#refiners = refiners
  }

  async refine(request: ChatRequest, target: RefinerTarget, signal: AbortSignal): Promise<number | undefined> {
    for (const refiner of this.#refiners) {
      const tokens = await refiner.refine(request, target, signal)
      if (tokens !== undefined) return tokens
    }
    return undefined
  }
}
