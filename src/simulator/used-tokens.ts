/** Tokens of a prompt as a bill tells them apart; together they are the whole prompt. */
export interface InputTokens {
  readonly uncached: number
  readonly cachedRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
}

/** Generated tokens: what can be seen (tool calls included), and thinking, which is billed whether or not it is shown. */
export interface OutputTokens {
  readonly visible: number
  readonly thinking: number
}

export interface UsedTokens {
  readonly input: InputTokens
  readonly output: OutputTokens
}

/** Prices of cached tokens as shares of the input price, where a provider publishes them so: [of, per]. */
export type CacheRates = Readonly<Record<'read' | 'write5m' | 'write1h', readonly [bigint, bigint]>>

export function wholeInput(input: InputTokens): number {
  return input.uncached + input.cachedRead + input.cacheWrite5m + input.cacheWrite1h
}

/** A prompt of which nothing is cached. */
export function uncached(tokens: number): InputTokens {
  return { uncached: tokens, cachedRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
}
