import type { FinalStep, OwnAttempt } from './redis-steps.ts'

/**
 * What a killed Redis may forget with `appendfsync everysec`: it answers while a flush is under way and writes up to two seconds later
 * (https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). Twice that, and some.
 */
const TOLD_AGAIN_MS = 5000

interface Told {
  readonly id: string
  readonly attempt: OwnAttempt
  readonly step: FinalStep
  readonly atMs: number
}

/** Final steps of the last seconds, to be told again to a store that comes back and may have forgotten them. */
export class ToldSteps {
  readonly #now: () => number
  #told: Told[] = []
  /** How many there were when old ones were last dropped. */
  #kept = 0

  constructor(now: () => number) {
    this.#now = now
  }

  add(id: string, attempt: OwnAttempt, step: FinalStep): void {
    this.#told.push({ id, attempt, step, atMs: this.#now() })
    // Now and then, so that dropping costs little per step.
    if (this.#told.length > 2 * this.#kept + 1000) this.recent()
  }

  recent(): readonly Told[] {
    const since = this.#now() - TOLD_AGAIN_MS
    this.#told = this.#told.filter(({ atMs }) => atMs >= since)
    this.#kept = this.#told.length
    return this.#told
  }
}
