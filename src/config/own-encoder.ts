import { makePrice } from '../budget/prices/make-price.ts'
import type { Target } from '../gateway/steps.ts'
import { ZERO_USD } from '../shared/money.ts'

/** Name under which callers have the gateway's own encoder make vectors. */
export const OWN_ENCODER = 'switchyard-embed'

/** The gateway's own encoder as a model. It costs nothing: what the machine costs it costs anyway. */
export function ownEncoderTarget(): Target {
  return {
    name: OWN_ENCODER,
    upstream: 'switchyard',
    kind: 'embedded',
    model: OWN_ENCODER,
    tier: 'local',
    // Of each text, and the sender looks at each; together they may have any length.
    contextTokens: undefined,
    capabilities: new Set(['embeddings'] as const),
    price: makePrice({ inputPerM: ZERO_USD, outputPerM: ZERO_USD }, 'own encoder'),
    extraBody: {},
    fallbacks: [],
  }
}
