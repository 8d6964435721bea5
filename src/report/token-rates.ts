/** What a side's tokens cost by the bills in a log: the two rates that fit its charges best, in dollars a token. */
export interface Rates {
  readonly input: number
  readonly output: number
}

/** Least squares through the origin, call by call, so that a log of any length needs five sums. */
export class TokenRates {
  #inIn = 0
  #inOut = 0
  #outOut = 0
  #inUsd = 0
  #outUsd = 0
  #tokens = 0
  #usd = 0
  calls = 0

  add(input: number, output: number, usd: number): void {
    this.#inIn += input * input
    this.#inOut += input * output
    this.#outOut += output * output
    this.#inUsd += input * usd
    this.#outUsd += output * usd
    this.#tokens += input + output
    this.#usd += usd
    this.calls++
  }

  /** Undefined = no call with tokens and a price. */
  get rates(): Rates | undefined {
    if (this.calls === 0 || this.#tokens === 0) return undefined
    const determinant = this.#inIn * this.#outOut - this.#inOut * this.#inOut
    const input = (this.#inUsd * this.#outOut - this.#outUsd * this.#inOut) / determinant
    const output = (this.#outUsd * this.#inIn - this.#inUsd * this.#inOut) / determinant
    // Calls that are all alike say nothing about the two apart, nor does a fit that pays for tokens.
    if (determinant > 1e-9 * this.#inIn * this.#outOut && input >= 0 && output >= 0) return { input, output }
    const both = this.#usd / this.#tokens
    return { input: both, output: both }
  }
}
