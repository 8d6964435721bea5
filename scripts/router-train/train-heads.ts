/** All experts of all recorded pairs, each fitted when it is first asked for. */
import type { GainHeadsParts, KindExpert } from '../../src/routing/gain-heads.ts'
import { isBeyondReach, NEUTRAL_GAIN } from '../../src/routing/gain-heads.ts'
import type { Mixture } from '../../src/routing/gain-expert.ts'
import { scoreOf } from '../../src/routing/gain-score.ts'
import { KINDS, type Kind } from '../../src/routing/kind.ts'
import type { RecordedPair } from '../../src/routing/model-strength.ts'
import {
  expertSum,
  fitExpert,
  GENERAL_SETTINGS,
  partsOf,
  type ExpertSettings,
  type FittedExpert,
  type Lesson,
} from './fit-expert.ts'
import { constantMixture } from './mixture.ts'
import type { Example } from './outcome-sets.ts'
import type { TrainingRows } from './training-rows.ts'

/** A pair has an expert of its own for a kind from this many rows on. */
export const OWN_ROWS = 150
/** Sets weigh rows^(1 - this): at 0 the largest sets decide alone, at 1 the smallest count as much. */
const SET_BALANCE = 0.25
/** The same where all pairs are together: what is sought is what holds for all of them. */
const GENERAL_SET_BALANCE = 0.6
/** Part of the target that comes from groups of alike models instead of the one pair. */
export const GROUP_SHARE = 0.3
/** The same where all pairs are together: there the pair itself is of less interest. */
const GENERAL_GROUP_SHARE = 0.5

export class HeadTrainer {
  readonly #data: TrainingRows
  readonly #rows: readonly number[]
  readonly #experts = new Map<string, FittedExpert | undefined>()
  readonly pairGains: ReadonlyMap<string, number>
  readonly #setGains: ReadonlyMap<string, number>
  readonly #general = new Map<Kind, FittedExpert>()

  /** Learns from these rows alone. */
  constructor(data: TrainingRows, rows: readonly number[]) {
    this.#data = data
    this.#rows = rows
    this.pairGains = pairGainsOf(rows.map((row) => data.examples[row] as Example))
    this.#setGains = new Map(
      [...Map.groupBy(rows, (row) => this.#at(row).set)].map(([set, own]) => [
        set,
        this.#meanGain(own, GENERAL_GROUP_SHARE),
      ]),
    )
  }

  /** A pair's own expert; undefined = too few rows. */
  own(pair: string, kind: Kind): FittedExpert | undefined {
    return this.#fitted(`${pair} ${kind}`, () => {
      const use = this.#rows.filter((row) => this.#at(row).pair.name === pair && this.#at(row).kind === kind)
      return use.length < OWN_ROWS ? undefined : this.#lesson(use, SET_BALANCE, (example) => gainOf(example))
    })
  }

  /** Of all pairs together. Tools are judged by what was learned from requests with tools alone, or not at all; the rest by one expert. */
  general(kind: Kind): FittedExpert {
    const known = this.#general.get(kind) ?? this.#makeGeneral(kind)
    this.#general.set(kind, known)
    return known
  }

  #makeGeneral(kind: Kind): FittedExpert {
    if (kind === 'tools') {
      const ofTools = this.#fitted('general tools', () => {
        const use = this.#rows.filter((row) => this.#at(row).kind === 'tools')
        return use.length < OWN_ROWS ? undefined : this.#lesson(use, GENERAL_SET_BALANCE, this.#common)
      })
      return ofTools ?? raised(this.#pooled(), NEUTRAL_GAIN, 0)
    }
    return raised(this.#pooled(), this.#kindLevel(kind), 1)
  }

  #pooled(): FittedExpert {
    const lesson = (): Lesson => this.#lesson(this.#rows, GENERAL_SET_BALANCE, this.#common)
    return this.#fitted('general', lesson, GENERAL_SETTINGS) as FittedExpert
  }

  /** Gains less the mean of their set: what a set gains says more of its models and its making than of its requests. */
  readonly #common = (example: Example): number =>
    gainOf(example, GENERAL_GROUP_SHARE) - (this.#setGains.get(example.set) ?? 0) + NEUTRAL_GAIN

  /** What requests of a kind gain more than the rest of their sets, halved: few sets have several kinds. */
  #kindLevel(kind: Kind): number {
    const sets = [...Map.groupBy(this.#rows, (row) => this.#at(row).set).values()].flatMap((rows) => {
      const own = rows.filter((row) => this.#at(row).kind === kind)
      return own.length < OWN_ROWS ? [] : [this.#meanGain(own) - this.#meanGain(rows)]
    })
    return sets.length === 0 ? 0 : sets.reduce((sum, value) => sum + value, 0) / sets.length / 2
  }

  #meanGain(rows: readonly number[], groupShare = 0): number {
    return rows.reduce((sum, row) => sum + gainOf(this.#at(row), groupShare), 0) / rows.length
  }

  /** Score of a row that it may or may not have learned from, as the served heads would have it. */
  score(row: number, form: 'plain' | 'encoded'): number {
    const { pair, kind } = this.#at(row)
    const own = this.own(pair.name, kind)
    if (own !== undefined) return expertSum(this.#data, row, own, form)
    const shift = (this.pairGains.get(pair.name) ?? NEUTRAL_GAIN) - NEUTRAL_GAIN
    if (isBeyondReach(this.#at(row).features.counts)) return shift + NEUTRAL_GAIN
    return shift + expertSum(this.#data, row, this.general(kind), form)
  }

  /** Score of every row by learners that saw neither it nor its question; of rows in use only. */
  unseen(form: 'plain' | 'encoded'): Map<number, number> {
    const scores = new Map<number, number>()
    for (const row of this.#rows) {
      if (scores.has(row)) continue
      const { pair, kind } = this.#at(row)
      const own = this.own(pair.name, kind)
      const expert = own ?? this.general(kind)
      const shift = own === undefined ? (this.pairGains.get(pair.name) ?? 0) - NEUTRAL_GAIN : 0
      for (const [i, other] of expert.lesson.use.entries()) {
        const example = this.#at(other)
        if (example.pair.name === pair.name && example.kind === kind) {
          const isSilent = own === undefined && isBeyondReach(example.features.counts)
          scores.set(other, shift + (isSilent ? NEUTRAL_GAIN : (expert.unseen[form][i] as number)))
        }
      }
    }
    return scores
  }

  parts(strengths: Readonly<Record<string, number>>): GainHeadsParts {
    const pairs = [...new Map(this.#rows.map((row) => [this.#at(row).pair.name, this.#at(row).pair])).values()]
    const served = (pair: string | undefined, kind: Kind, expert: FittedExpert): KindExpert => ({
      pair,
      kind,
      rows: expert.lesson.use.length,
      parts: partsOf(this.#data, expert),
    })
    const scores = [...this.unseen('plain')].map(([row, gain]) => ({ pair: this.#at(row).pair.name, gain }))
    const meanOf = (pair: string): number => this.pairGains.get(pair) ?? NEUTRAL_GAIN
    return {
      pairs: pairs.map((pair): RecordedPair => ({
        ...pair,
        meanGain: meanOf(pair.name),
        usualScores: usualScores(scores.filter((score) => score.pair === pair.name).map(({ gain }) => gain)),
      })),
      usualScores: usualScores(scores.map(({ pair, gain }) => gain - meanOf(pair) + NEUTRAL_GAIN)),
      strengths,
      experts: [
        ...pairs.flatMap(({ name }) =>
          KINDS.flatMap((kind) => {
            const own = this.own(name, kind)
            return own === undefined ? [] : [served(name, kind, own)]
          }),
        ),
        ...KINDS.map((kind) => served(undefined, kind, this.general(kind))),
      ],
    }
  }

  #at(row: number): Example {
    return this.#data.examples[row] as Example
  }

  #fitted(key: string, lesson: () => Lesson | undefined, settings?: ExpertSettings): FittedExpert | undefined {
    if (!this.#experts.has(key)) {
      const known = lesson()
      this.#experts.set(key, known && fitExpert(this.#data, known, settings))
    }
    return this.#experts.get(key)
  }

  #lesson(use: readonly number[], balance: number, target: (example: Example) => number): Lesson {
    const { examples } = this.#data
    const sizes = new Map<string, number>()
    for (const row of use) sizes.set(this.#at(row).set, (sizes.get(this.#at(row).set) ?? 0) + 1)
    const typical = use.length / sizes.size
    const targets = new Float64Array(examples.length)
    const rowWeights = new Float64Array(examples.length)
    for (const row of use) {
      const example = this.#at(row)
      targets[row] = target(example)
      rowWeights[row] = (typical / (sizes.get(example.set) as number)) ** balance
    }
    return { use: Uint32Array.from(use), targets, rowWeights }
  }
}

function gainOf({ big, small, groupGain }: Example, groupShare = GROUP_SHARE): number {
  return (1 - groupShare) * (big - small) + groupShare * groupGain
}

/** The expert with its sums taken `times` (0 = the same for all) and `level` added. */
function raised(expert: FittedExpert, level: number, times: 0 | 1): FittedExpert {
  const change = (mixture: Mixture): Mixture =>
    times === 0 ? constantMixture(level) : { ...mixture, bias: mixture.bias + level }
  const moved = (values: Float64Array): Float64Array => values.map((value) => times * value + level)
  return {
    ...expert,
    plain: change(expert.plain),
    encoded: change(expert.encoded),
    unseen: { plain: moved(expert.unseen.plain), encoded: moved(expert.unseen.encoded) },
  }
}

/** Enough for a rank within 3 points, few enough to be forgotten after a hundred requests. */
const USUAL_SCORES = 32

function usualScores(gains: readonly number[]): number[] {
  const scores = Float64Array.from(gains, scoreOf).sort()
  return Array.from({ length: USUAL_SCORES }, (_, i) => {
    const score = scores[Math.floor(((i + 0.5) / USUAL_SCORES) * scores.length)] as number
    return Math.round(score * 1e4) / 1e4
  })
}

/** Mean of the means of a pair's sets: a large set does not decide what a pair gains. */
function pairGainsOf(examples: readonly Example[]): Map<string, number> {
  const gains = new Map<string, number>()
  for (const [pair, rows] of Map.groupBy(examples, (example) => example.pair.name)) {
    const sets = [...Map.groupBy(rows, ({ set }) => set).values()]
    const means = sets.map((set) => set.reduce((sum, example) => sum + example.big - example.small, 0) / set.length)
    gains.set(pair, means.reduce((sum, mean) => sum + mean, 0) / means.length)
  }
  return gains
}
