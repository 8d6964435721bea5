import { RedisDown } from '../../store/redis-link.ts'
import type { FinalStep, Place } from './redis-steps.ts'

export interface LateStep {
  readonly place: Place
  readonly step: FinalStep
}

/** Steps that could not be told to the store yet, one per attempt. Until they are, the attempt's money stays held. */
export class LateSteps {
  readonly #waiting = new Map<string, LateStep>()
  readonly #tell: (id: string, late: LateStep) => Promise<void>
  #draining: Promise<void> | undefined

  /** `tell` rejects with RedisDown where the step has to wait on. */
  constructor(tell: (id: string, late: LateStep) => Promise<void>) {
    this.#tell = tell
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  get(id: string): LateStep | undefined {
    return this.#waiting.get(id)
  }

  keep(id: string, late: LateStep): void {
    this.#waiting.set(id, late)
  }

  /** Tells them all, in order, until one fails. Rejects only with what is a defect. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined))
    return this.#draining
  }

  async #drain(): Promise<void> {
    for (const [id, late] of this.#waiting) {
      try {
        await this.#tell(id, late)
      } catch (error) {
        if (error instanceof RedisDown) return
        throw error
      }
      this.#waiting.delete(id)
    }
  }
}
