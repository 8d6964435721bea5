/**
 * What a provider would put on its bill: counted here from what was really produced, with prices of its own and in BigInt, so that
 * it can judge the gateway's books. It shares no code with them.
 */
export interface MeterPrice {
  /** Dollars per million tokens. */
  readonly inputPerM: number
  readonly outputPerM: number
}

export interface MeterRow {
  requests: number
  input: number
  output: number
  /** Nano-dollars, rounded up per request. */
  nanoUsd: bigint
}

export class BillingMeter {
  readonly #prices: Readonly<Record<string, MeterPrice>>
  readonly #rows = new Map<string, MeterRow>()

  constructor(prices: Readonly<Record<string, MeterPrice>>) {
    this.#prices = prices
  }

  /** Bills one request: its whole prompt, and the tokens that were generated, whether or not anybody still read them. */
  bill(model: string, input: number, output: number): void {
    const row = this.#rows.get(model) ?? { requests: 0, input: 0, output: 0, nanoUsd: 0n }
    const price = this.#prices[model] ?? { inputPerM: 0, outputPerM: 0 }
    row.requests += 1
    row.input += input
    row.output += output
    // Dollars per million tokens are micro-dollars per token; with three more places that is nano-dollars x 1e6 per million.
    const millionths = BigInt(input) * perMillion(price.inputPerM) + BigInt(output) * perMillion(price.outputPerM)
    row.nanoUsd += (millionths + 999_999n) / 1_000_000n
    this.#rows.set(model, row)
  }

  rows(): ReadonlyMap<string, Readonly<MeterRow>> {
    return this.#rows
  }

  total(): bigint {
    let sum = 0n
    for (const row of this.#rows.values()) sum += row.nanoUsd
    return sum
  }
}

/** Nano-dollars per million tokens. */
function perMillion(usd: number): bigint {
  return BigInt(Math.round(usd * 1e9))
}
