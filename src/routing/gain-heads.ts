/** Which expert judges a request: by the pair of models between which a route chooses and by the kind of the request. */
import { COUNT_AT, HEAD_CHARS, TAIL_CHARS, type RoutingFeatures } from './features.ts'
import { expertGain, expertTerms, type GainExpertParts, type GainTerms } from './gain-expert.ts'
import { KINDS, kindOf, type Kind } from './kind.ts'
import { nearestPair, type ModelPair, type RecordedPair } from './model-strength.ts'
import { NgramCounter } from './ngram-counter.ts'

export interface GainHeadsParts {
  readonly pairs: readonly RecordedPair[]
  /** As `RecordedPair.usualScores`, of all pairs together, as if each gained `NEUTRAL_GAIN` on average. */
  readonly usualScores: readonly number[]
  /** Model -> how much better than the average model it answered the same questions. */
  readonly strengths: Readonly<Record<string, number>>
  readonly experts: readonly KindExpert[]
}

export interface KindExpert {
  /** Name of a recorded pair; undefined = of all of them together. */
  readonly pair: string | undefined
  readonly kind: Kind
  /** Rows it learned from. */
  readonly rows: number
  readonly parts: GainExpertParts
}

/**
 * Asks of more characters than are read: nothing in the recorded outcomes is like them in length and part of it is unseen, so
 * experts of all pairs together claim no order among them. A pair's own experts have learned from its long asks.
 */
export function isBeyondReach(counts: Float64Array): boolean {
  return (counts[CHARACTERS] as number) > LONGEST
}
const CHARACTERS = COUNT_AT['characters'] as number
const LONGEST = Math.log1p(HEAD_CHARS + TAIL_CHARS)

/** Mean gain that experts of all pairs together are fitted to. */
export const NEUTRAL_GAIN = 0.2

/** Why this head judges this pair. */
export interface HeadChoice {
  /** `own`: the pair's outcomes are recorded; `nearest`: those of a pair about as strong; `general`: all recorded pairs together. */
  readonly kind: 'own' | 'nearest' | 'general'
  readonly pair: string | undefined
}

export interface GainJudgement {
  readonly gain: number
  readonly kind: Kind
  /** The pair whose expert spoke; undefined = of all together, where its own has too few rows of this kind. */
  readonly expert: string | undefined
  readonly rows: number
  readonly terms: GainTerms
  /** What the pair gains more than the expert says. */
  readonly shift: number
  /** The expert's own numbers, for whoever takes the terms apart; undefined = it keeps silent, the ask is beyond its reach. */
  readonly parts: GainExpertParts | undefined
}

/** One per route; used by one thread, so that all share a counter. */
export interface PairHead {
  readonly choice: HeadChoice
  readonly usualScores: readonly number[]
  /** Expected quality(big) - quality(small), about -1..1. `vector` = the encoder's of the routing text, where there is one. */
  gain(features: RoutingFeatures, vector?: Float32Array): number
  /** Whether a vector counts for a request of this kind; where tools are called it does not. */
  readsVector(features: RoutingFeatures): boolean
  /** The same as `gain` with its parts. */
  explain(features: RoutingFeatures, vector?: Float32Array): GainJudgement
}

interface Seat {
  readonly expert: KindExpert
  /** What the pair gains more than the experts of all pairs together say. */
  readonly shift: number
}

const NO_TERMS: GainTerms = { words: 0, counts: 0, trees: 0, encoder: 0 }

function isSilent({ expert }: Seat, { counts }: RoutingFeatures): boolean {
  return expert.pair === undefined && isBeyondReach(counts)
}

export class GainHeads {
  readonly #parts: GainHeadsParts
  readonly #ngrams = new NgramCounter()

  /** Throws RangeError where no expert of all pairs together is there for some kind. */
  constructor(parts: GainHeadsParts) {
    this.#parts = parts
    // Found at start, not by the first request of that kind.
    for (const kind of KINDS) this.#seat(undefined, kind)
  }

  /** The head for models of these names, in any of their usual spellings; undefined = unknown. */
  forPair(models: Partial<ModelPair>): PairHead {
    const choice = nearestPair(models, this.#parts.pairs, this.#parts.strengths)
    const pair = this.#parts.pairs.find(({ name }) => name === choice.pair)
    const seats = Object.fromEntries(KINDS.map((kind) => [kind, this.#seat(pair, kind)])) as Record<Kind, Seat>
    const ngrams = this.#ngrams
    const gainOf = (seat: Seat, features: RoutingFeatures, vector: Float32Array | undefined): number =>
      seat.shift + (isSilent(seat, features) ? NEUTRAL_GAIN : expertGain(seat.expert.parts, features, ngrams, vector))
    return {
      choice,
      usualScores: pair?.usualScores ?? this.#parts.usualScores,
      gain: (features, vector) => {
        const seat = seats[kindOf(features.counts)]
        return gainOf(seat, features, vector)
      },
      readsVector: (features) => seats[kindOf(features.counts)].expert.parts.encoded.encoder !== 0,
      explain: (features, vector) => {
        const kind = kindOf(features.counts)
        const seat = seats[kind]
        const { expert } = seat
        return {
          gain: gainOf(seat, features, vector),
          kind,
          expert: expert.pair,
          rows: expert.rows,
          terms: isSilent(seat, features) ? NO_TERMS : expertTerms(expert.parts, features, ngrams, vector),
          shift: seat.shift,
          parts: isSilent(seat, features) ? undefined : expert.parts,
        }
      },
    }
  }

  #seat(pair: RecordedPair | undefined, kind: Kind): Seat {
    const { experts } = this.#parts
    const own = pair && experts.find((expert) => expert.pair === pair.name && expert.kind === kind)
    if (own !== undefined) return { expert: own, shift: 0 }
    const general = experts.find((expert) => expert.pair === undefined && expert.kind === kind)
    if (general === undefined) throw new RangeError(`There is no expert for requests of the kind ${kind}.`)
    return { expert: general, shift: pair === undefined ? 0 : pair.meanGain - NEUTRAL_GAIN }
  }
}
