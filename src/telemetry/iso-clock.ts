/** The wall clock as text (ISO 8601, UTC, ms). Under load many lines share a millisecond, and a date costs more than the rest of a line. */
export class IsoClock {
  readonly #wallMs: () => number
  #ms = Number.NaN
  #text = ''

  /** `wallMs` gives Unix milliseconds. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  now(): string {
    const ms = this.#wallMs()
    if (ms !== this.#ms) {
      this.#ms = ms
      this.#text = new Date(ms).toISOString()
    }
    return this.#text
  }
}
