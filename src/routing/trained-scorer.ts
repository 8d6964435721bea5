/** The scorer that ships with the service: trained heads, read from `router-models/`. */
import { readFileSync } from 'node:fs'
import type { RoutingFeatures } from './features.ts'
import { GainHeads, type PairHead } from './gain-heads.ts'
import { scoreOf } from './gain-score.ts'
import { decodeHeads } from './head-file.ts'
import type { ModelPair } from './model-strength.ts'
import type { Scorer } from './scorer.ts'

export class TrainedScorer implements Scorer {
  readonly heads: GainHeads
  readonly head: PairHead
  readonly usualScores: readonly number[]

  constructor(heads: GainHeads, head: PairHead = heads.forPair({})) {
    this.heads = heads
    this.head = head
    this.usualScores = head.usualScores
  }

  score(features: RoutingFeatures, _signal?: AbortSignal, vector?: Float32Array): number {
    return scoreOf(this.head.gain(features, vector))
  }

  readsVector(features: RoutingFeatures): boolean {
    return this.head.readsVector(features)
  }

  forPair(models: Partial<ModelPair>): TrainedScorer {
    return new TrainedScorer(this.heads, this.heads.forPair(models))
  }
}

/**
 * Reads `<path>.bin` and `<path>.json`; about 1 MB, some ten milliseconds, once at start.
 * Throws Error naming the file where it is missing, damaged (SHA-256) or made for other features.
 */
export function loadTrainedScorer(path: string): TrainedScorer {
  try {
    const files = { bin: readFileSync(`${path}.bin`), json: readFileSync(`${path}.json`, 'utf8') }
    return new TrainedScorer(new GainHeads(decodeHeads(files)))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Router weights ${path}: ${why}. \`npm run router:train\` makes them anew.`, { cause })
  }
}
