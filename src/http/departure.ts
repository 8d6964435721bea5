import type { Departure } from '../gateway/steps.ts'

/** Aborts a call when its caller has left and nobody else waits for its answer. */
export class CallerDeparture implements Departure {
  hasLeft = false
  readonly #abort: AbortController
  #waiting = 0

  constructor(abort: AbortController) {
    this.#abort = abort
  }

  keep(): void {
    this.#waiting += 1
  }

  release(): void {
    this.#waiting -= 1
    if (this.#waiting === 0 && this.hasLeft) this.#abort.abort()
  }

  /** The connection is gone. */
  left(): void {
    this.hasLeft = true
    if (this.#waiting === 0) this.#abort.abort()
  }
}
