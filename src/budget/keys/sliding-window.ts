const SECOND_MS = 1000
/** The window: a minute. */
export const WINDOW_MS = 60_000
/** The running second and the 60 before it: together they cover every minute that ends now, whenever in a second it began. */
const SECONDS = WINDOW_MS / SECOND_MS + 1

/**
 * How much was used in the last minute, exact to the second: a ring of 61 counters. What was used leaves between 60 and 61 s later,
 * never earlier, so that no 60 s, wherever they begin, hold more than the limit; the price is that a caller may wait up to 1 s longer
 * than strictly needed. (The usual two-bucket estimate is smaller but assumes an even flow in the bucket before, and so admits up to
 * twice the limit around a minute's end in the worst case.) Times are monotonic milliseconds.
 */
export class SlidingWindow {
  /** Indexed by second modulo 61; floats, as amounts may leave 32 bits. */
  readonly #used = new Float64Array(SECONDS)
  #total = 0
  #second = 0

  /** What counts at this time. */
  total(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total
  }

  add(amount: number, nowMs: number): void {
    this.#advance(nowMs)
    const at = this.#second % SECONDS
    this.#used[at] = this.#at(at) + amount
    this.#total += amount
  }

  /**
   * Takes back part of what was added at or after `sinceMs`, if all since then still counts. The oldest is taken first: what remains
   * then leaves later than it strictly should, never earlier.
   */
  giveBack(amount: number, sinceMs: number, nowMs: number): void {
    this.#advance(nowMs)
    const since = Math.floor(sinceMs / SECOND_MS)
    if (this.#second - since >= SECONDS) return
    let left = amount
    for (let second = since; second <= this.#second && left > 0; second++) {
      const at = second % SECONDS
      const back = Math.min(left, this.#at(at))
      this.#used[at] = this.#at(at) - back
      this.#total -= back
      left -= back
    }
  }

  /** Milliseconds until no more than `most` counts. */
  waitMs(most: number, nowMs: number): number {
    this.#advance(nowMs)
    let left = this.#total
    for (let age = SECONDS - 1; age >= 0 && left > most; age--) {
      left -= this.#at((this.#second - age + SECONDS) % SECONDS)
      if (left <= most) return (this.#second - age + SECONDS) * SECOND_MS - nowMs
    }
    return 0
  }

  /** Milliseconds until nothing counts. */
  emptyMs(nowMs: number): number {
    this.#advance(nowMs)
    if (this.#total === 0) return 0
    // What came last leaves last, and mostly came just now.
    for (let age = 0; age < SECONDS; age++) {
      const second = this.#second - age
      if (this.#at((second + SECONDS) % SECONDS) > 0) return (second + SECONDS) * SECOND_MS - nowMs
    }
    return 0
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / SECOND_MS)
    const passed = Math.min(SECONDS, second - this.#second)
    for (let i = 1; i <= passed; i++) {
      const at = (this.#second + i) % SECONDS
      this.#total -= this.#at(at)
      this.#used[at] = 0
    }
    if (second > this.#second) this.#second = second
  }

  #at(index: number): number {
    return this.#used[index] as number
  }
}
