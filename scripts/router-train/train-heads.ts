/** All experts of all recorded pairs, each fitted when it is first asked for. */
import type { GainHeadsParts, KindExpert } from '../../src/routing/gain-heads.ts'
import { NEUTRAL_GAIN } from '../../src/routing/gain-heads.ts'
import { scoreOf } from '../../src/routing/gain-score.ts'
import { KINDS, type Kind } from '../../src/routing/kind.ts'
import type { RecordedPair } from '../../src/routing/model-strength.ts'
import { expertSum, fitExpert, partsOf, type FittedExpert, type Lesson } from './fit-expert.ts'
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

export class HeadTrainer {
  readonly #data: TrainingRows
  readonly #rows: readonly number[]
  readonly #experts = new Map<string, FittedExpert | undefined>()
  readonly pairGains: ReadonlyMap<string, number>

  /** Learns from these rows alone. */
  constructor(data: TrainingRows, rows: readonly number[]) {
    this.#data = data
    this.#rows = rows
    this.pairGains = pairGainsOf(rows.map((row) => data.examples[row] as Example))
  }

  /** A pair's own expert; undefined = too few rows. */
  own(pair: string, kind: Kind): FittedExpert | undefined {
    return this.#fitted(`${pair} ${kind}`, () => {
      const use = this.#rows.filter((row) => this.#at(row).pair.name === pair && this.#at(row).kind === kind)
      return use.length < OWN_ROWS ? undefined : this.#lesson(use, SET_BALANCE, gainOf)
    })
  }

  /** Of all pairs together, for one kind; of all kinds together where that has too few rows. */
  general(kind: Kind): FittedExpert {
    const common = (example: Example): number =>
      gainOf(example) - (this.pairGains.get(example.pair.name) ?? 0) + NEUTRAL_GAIN
    const ofKind = this.#fitted(`general ${kind}`, () => {
      const use = this.#rows.filter((row) => this.#at(row).kind === kind)
      return use.length < OWN_ROWS ? undefined : this.#lesson(use, GENERAL_SET_BALANCE, common)
    })
    return (
      ofKind ?? (this.#fitted('general', () => this.#lesson(this.#rows, GENERAL_SET_BALANCE, common)) as FittedExpert)
    )
  }

  /** Score of a row that it may or may not have learned from, as the served heads would have it. */
  score(row: number, form: 'plain' | 'encoded'): number {
    const { pair, kind } = this.#at(row)
    const own = this.own(pair.name, kind)
    if (own !== undefined) return expertSum(this.#data, row, own, form)
    const shift = (this.pairGains.get(pair.name) ?? NEUTRAL_GAIN) - NEUTRAL_GAIN
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
          scores.set(other, shift + (expert.unseen[form][i] as number))
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

  #fitted(key: string, lesson: () => Lesson | undefined): FittedExpert | undefined {
    if (!this.#experts.has(key)) {
      const known = lesson()
      this.#experts.set(key, known && fitExpert(this.#data, known))
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

function gainOf({ big, small, groupGain }: Example): number {
  return (1 - GROUP_SHARE) * (big - small) + GROUP_SHARE * groupGain
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
