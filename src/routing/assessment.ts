/** What is known of a request before the policy of its route is asked, and who finds it out. */
import type { Call } from '../gateway/steps.ts'
import type { Encoder } from '../encoder/encoder.ts'
import { featuresOf, type RoutingFeatures } from './features.ts'
import type { Scorer } from './scorer.ts'

export interface Assessment {
  readonly features: RoutingFeatures
  /** The encoder's of the routing text; undefined = not asked, or not in time. */
  readonly vector: Float32Array | undefined
  /** What is asked for, one of a closed set known at start. */
  readonly intent: string
  /** Expected gain of the big model, 0..1; undefined = the scorer could not say, and the policy decides without. */
  readonly score: number | undefined
}

/** One per route. Asked after the rules and only where both sides of the route can take the request. */
export interface Assessor {
  /** A promise only where somebody has to be waited for. Rejects only because the caller has left. */
  assess(call: Call): Assessment | Promise<Assessment>
  /** Whether `refine` could come to another score, and at once. Starts what is missing for it in the background. */
  canRefine(known: Assessment): boolean
  /** The same with the encoder's vector, for a score that leaves the policy undecided. `known` itself where there is none in time. */
  refine(known: Assessment, call: Call): Promise<Assessment>
}

/** The intent of a request that nobody has read. */
export const NO_INTENT = 'other'

/** Tokens of the routing text that the encoder reads, as the heads were trained: its time grows with them, about 9 ms for these. */
const ROUTING_TOKENS = 48

export type RoutingEncoder = Pick<Encoder, 'state' | 'embed' | 'load'>

export class ScoreAssessor implements Assessor {
  readonly #scorer: Scorer
  readonly #encoder: RoutingEncoder | undefined

  constructor(scorer: Scorer, encoder?: RoutingEncoder) {
    this.#scorer = scorer
    this.#encoder = encoder
  }

  assess({ request, signal }: Call): Assessment | Promise<Assessment> {
    const features = featuresOf(request)
    const score = this.#score(features, signal)
    return typeof score === 'object'
      ? score.then((known) => assessmentOf(features, known))
      : assessmentOf(features, score)
  }

  canRefine({ features, score }: Assessment): boolean {
    const encoder = this.#encoder
    if (encoder === undefined || score === undefined || this.#scorer.readsVector?.(features) !== true) return false
    // The first that would profit pays nothing: it is decided without while the model is being loaded.
    if (encoder.state === 'idle') encoder.load().catch(() => {})
    return encoder.state === 'ready'
  }

  async refine(known: Assessment, { signal }: Call): Promise<Assessment> {
    const vector = await this.#encoder?.embed(known.features.text, { maxTokens: ROUTING_TOKENS })
    signal.throwIfAborted()
    if (vector === undefined) return known
    const score = await this.#score(known.features, signal, vector)
    return score === undefined ? known : { ...known, vector, score }
  }

  /** A scorer that fails must not fail the request. A leaving caller still ends it. */
  #score(
    features: RoutingFeatures,
    signal: AbortSignal,
    vector?: Float32Array,
  ): number | undefined | Promise<number | undefined> {
    try {
      const score = this.#scorer.score(features, signal, vector)
      if (typeof score === 'number') return known(score)
      return score.then(known, () => {
        signal.throwIfAborted()
        return undefined
      })
    } catch {
      return undefined
    }
  }
}

function assessmentOf(features: RoutingFeatures, score: number | undefined): Assessment {
  return { features, vector: undefined, intent: NO_INTENT, score }
}

/** A score that is no number is no score. */
function known(score: number): number | undefined {
  return Number.isFinite(score) ? Math.min(1, Math.max(0, score)) : undefined
}
