const DAY_MS = 86_400_000

/**
 * The UTC day by which money is counted. It never goes back: where the clock does, spending goes on under the latest day that was
 * seen, so that no book of the past is opened again.
 */
export class WallDay {
  readonly #now: () => number
  readonly #changed: (day: string) => void
  #number = -1
  #day: string

  /** `last` is the day on which an earlier process ended; `changed` hears each new day. `now` gives unix milliseconds. */
  constructor(now: () => number, last: string | undefined, changed: (day: string) => void) {
    this.#now = now
    this.#changed = changed
    this.#day = last ?? ''
    if (last !== undefined) this.#number = Math.floor(Date.parse(`${last}T00:00:00Z`) / DAY_MS)
  }

  /** `YYYY-MM-DD`. */
  today(): string {
    const number = Math.floor(this.#now() / DAY_MS)
    if (number <= this.#number) return this.#day
    this.#number = number
    this.#day = new Date(number * DAY_MS).toISOString().slice(0, 10)
    this.#changed(this.#day)
    return this.#day
  }
}
