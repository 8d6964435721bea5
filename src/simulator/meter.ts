/**
 * What a provider would put on its bill: counted here from what was really produced, with prices of its own and in BigInt, so that
 * it can judge the gateway's books. It shares no code with them.
 */
import { wholeInput, type CacheRates, type InputTokens, type OutputTokens } from './used-tokens.ts'

export interface MeterPrice {
  /** Dollars per million tokens. */
  readonly inputPerM: number
  readonly outputPerM: number
  /** Of prompt tokens read from a cache; absent = the wire's share of the input price, or that price. */
  readonly cachedInputPerM?: number
  /** Of prompt tokens written to a cache for five minutes and for an hour; absent = likewise. */
  readonly cacheWrite5mPerM?: number
  readonly cacheWrite1hPerM?: number
}

export interface MeterRow {
  requests: number
  /** Whole prompts; the next three are parts of it. */
  input: number
  cachedInput: number
  cacheWrite5m: number
  cacheWrite1h: number
  /** All generated tokens, thinking included. */
  output: number
  thinking: number
  /** Nano-dollars, rounded up per request. */
  nanoUsd: bigint
}

export class BillingMeter {
  readonly #prices: Readonly<Record<string, MeterPrice>>
  readonly #rates: CacheRates | undefined
  readonly #rows = new Map<string, MeterRow>()

  constructor(prices: Readonly<Record<string, MeterPrice>>, rates?: CacheRates) {
    this.#prices = prices
    this.#rates = rates
  }

  /** Bills one request: its whole prompt, and the tokens that were generated, whether or not anybody still read them. */
  bill(model: string, input: InputTokens, output: OutputTokens): void {
    const row = this.#rows.get(model) ?? emptyRow()
    row.requests += 1
    row.input += wholeInput(input)
    row.cachedInput += input.cachedRead
    row.cacheWrite5m += input.cacheWrite5m
    row.cacheWrite1h += input.cacheWrite1h
    row.output += output.visible + output.thinking
    row.thinking += output.thinking
    row.nanoUsd += this.#nanoUsd(this.#prices[model] ?? { inputPerM: 0, outputPerM: 0 }, input, output)
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

  #nanoUsd(price: MeterPrice, input: InputTokens, output: OutputTokens): bigint {
    const plain = perMillion(price.inputPerM)
    const cached = (own: number | undefined, share: readonly [bigint, bigint] = [1n, 1n]): readonly [bigint, bigint] =>
      own === undefined ? [plain * share[0], share[1]] : [perMillion(own), 1n]
    const classes: readonly (readonly [number, readonly [bigint, bigint]])[] = [
      [input.uncached, [plain, 1n]],
      [input.cachedRead, cached(price.cachedInputPerM, this.#rates?.read)],
      [input.cacheWrite5m, cached(price.cacheWrite5mPerM, this.#rates?.write5m)],
      [input.cacheWrite1h, cached(price.cacheWrite1hPerM, this.#rates?.write1h)],
      [output.visible + output.thinking, [perMillion(price.outputPerM), 1n]],
    ]
    // Dollars per million tokens are micro-dollars per token; with three more places that is nano-dollars x 1e6 per million.
    // The shares' denominators are multiplied out, so that nothing is rounded before the one rounding at the end.
    const scale = classes.reduce((product, [, [, per]]) => product * per, 1n)
    const sum = classes.reduce((total, [tokens, [price, per]]) => total + (BigInt(tokens) * price * scale) / per, 0n)
    const whole = 1_000_000n * scale
    return (sum + whole - 1n) / whole
  }
}

function emptyRow(): MeterRow {
  return {
    requests: 0,
    input: 0,
    cachedInput: 0,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    output: 0,
    thinking: 0,
    nanoUsd: 0n,
  }
}

/** Nano-dollars per million tokens. */
function perMillion(usd: number): bigint {
  return BigInt(Math.round(usd * 1e9))
}
