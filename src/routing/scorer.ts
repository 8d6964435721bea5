import type { RoutingFeatures } from './features.ts'
import type { ModelPair } from './model-strength.ts'

/** Gives one number per request; what is done with it is the policy's business. */
export interface Scorer {
  /** Scores that are usual, at equal steps of rank: a share is held against them until enough of the traffic was seen. Absent = not known. */
  readonly usualScores?: readonly number[]
  /**
   * Expected gain of the big model over the small one, 0..1. A plain number where the scorer needs no waiting.
   * Throws or rejects where it cannot say; the router then decides without a score (reason `degraded`).
   */
  score(features: RoutingFeatures, signal: AbortSignal, vector?: Float32Array): number | Promise<number>
  /** Whether the encoder's vector would change what it says of such a request; absent = never. */
  readsVector?(features: RoutingFeatures): boolean
  /** The scorer for a route that chooses between these models; absent = it is the same for all. */
  forPair?(models: Partial<ModelPair>): Scorer
}
