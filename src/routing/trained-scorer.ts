/** The scorer that ships with the service: a trained head, read from `router-models/`. */
import { readFileSync } from 'node:fs'
import type { RoutingFeatures } from './features.ts'
import { decodeHead } from './head-file.ts'
import { LinearHead } from './linear-head.ts'
import type { Scorer } from './scorer.ts'

export class TrainedScorer implements Scorer {
  readonly usualScores: readonly number[]
  readonly #head: LinearHead

  constructor(head: LinearHead, usualScores: readonly number[]) {
    this.#head = head
    this.usualScores = usualScores
  }

  score(features: RoutingFeatures): number {
    return this.#head.score(features)
  }
}

/**
 * Reads `<path>.bin` and `<path>.json`; about 130 KB, a few milliseconds, once at start.
 * Throws Error naming the file where it is missing, damaged (SHA-256) or made for other features.
 */
export function loadTrainedScorer(path: string): TrainedScorer {
  try {
    const files = { bin: readFileSync(`${path}.bin`), json: readFileSync(`${path}.json`, 'utf8') }
    const { usualScores, ...parts } = decodeHead(files)
    return new TrainedScorer(new LinearHead(parts), usualScores)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Router weights ${path}: ${why}. \`npm run router:train\` makes them anew.`, { cause })
  }
}
