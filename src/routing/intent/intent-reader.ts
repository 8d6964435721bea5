import type { RoutingFeatures } from '../features.ts'
import type { BuiltInIntents, IntentReading } from './built-in-intents.ts'
import type { LearnedIntents } from './learn-intents.ts'
import { BUILT_IN_INTENTS, OTHER_INTENT } from '../../shared/intent-names.ts'

/** Where an intent goes: a side of the route, or a model of it. */
export interface IntentRule {
  readonly route: string
}

/**
 * What a request asks for: an intent of one's own where the encoder's vector is there and looks like its examples, else a built-in one.
 * Own intents are learned while requests are answered; until then there are none.
 */
export class IntentReader {
  /** The closed set of names that `read` gives. */
  readonly names: readonly string[]
  readonly rules: ReadonlyMap<string, IntentRule>
  readonly #builtIn: BuiltInIntents
  #own: { readonly learned: LearnedIntents; readonly leastScope: number } | undefined

  constructor(
    builtIn: BuiltInIntents,
    { own = [], rules = new Map() }: { own?: readonly string[]; rules?: ReadonlyMap<string, IntentRule> } = {},
  ) {
    this.names = [...own, ...BUILT_IN_INTENTS, OTHER_INTENT]
    this.rules = rules
    this.#builtIn = builtIn
  }

  /** Whether a vector could bring an intent of one's own. */
  get wantsVector(): boolean {
    return this.#own !== undefined
  }

  /** `outOfScope` = share of requests in scope that may be taken for strangers, 0..1. */
  learned(learned: LearnedIntents, outOfScope: number): void {
    this.#own = { learned, leastScope: learned.scopeBelow(outOfScope) }
  }

  /** To be called at once after the features were made: it uses what was read of their text. */
  read(features: RoutingFeatures, vector?: Float32Array): IntentReading {
    if (vector !== undefined && this.#own !== undefined && features.text !== '') {
      const { learned, leastScope } = this.#own
      const { name, confidence, scope } = learned.read(vector)
      if (scope >= leastScope) return { name, confidence, isOutOfScope: false }
    }
    return this.#builtIn.read(features, vector)
  }
}
