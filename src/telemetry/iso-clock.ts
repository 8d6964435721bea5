/** The wall clock as text (ISO 8601, UTC, ms). A date costs more than the rest of a line; all but its last digits are the same for a second. */
export class IsoClock {
  readonly #wallMs: () => number
  #ms = Number.NaN
  #text = ''
  #second = Number.NaN
  /** Up to the milliseconds: `2026-11-25T04:00:00.` */
  #head = ''

  /** `wallMs` gives Unix milliseconds. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  now(): string {
    const ms = Math.floor(this.#wallMs())
    if (ms === this.#ms) return this.#text
    this.#ms = ms
    const second = Math.floor(ms / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#head = new Date(second * 1000).toISOString().slice(0, -4)
    }
    const rest = ms - second * 1000
    this.#text = `${this.#head}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`
    return this.#text
  }
}
