/**
 * Intents by examples: a multinomial logistic regression on the encoder's vectors says which one, and the sum of its energy and the nearness
 * of the nearest examples whether it is any of them at all. A general request (the built-in examples) is a class of its own, so that a single
 * intent has something to differ from.
 */
import { atOnce, fitLogistic, type LabelledRows } from './fit-logistic.ts'
import { energyOf, likeliest, logitsOf, type LinearClasses } from './linear-classes.ts'
import { nearness, type NearestOfClass } from './nearest-examples.ts'

export interface IntentExamples {
  readonly name: string
  /** Unit vectors of the encoder. */
  readonly vectors: readonly Float32Array[]
}

export interface ReadIntent {
  /** The likeliest intent, in scope or not. */
  readonly name: string
  /** Its probability among the intents, 0..1. */
  readonly confidence: number
  /** How much it looks like the examples; what comes from outside has less. Mean 0 and deviation about 1 for what is in scope. */
  readonly scope: number
}

export interface LearnOptions {
  readonly fit?: number
  /** False = only which one is wanted, and `scope` means nothing; default true. */
  readonly knowsScope?: boolean
  /** Requests that are none of the intents. */
  readonly background?: readonly Float32Array[]
}

/** Chosen by cross-validation on Banking77 and CLINC150; anything from 10 to 40 does as well. */
const FIT = 20
const FOLDS = 5
/** Weight of the cosine of an intent's nearest example beside the regression: the more examples, the more the nearest one tells. */
const nearestShare = (perIntent: number): number => Math.min(16, 4 * Math.sqrt(perIntent / 10))
/** Of each intent, this many examples tell how unseen requests score. */
const CALIBRATED = 20

/** What was learned from the examples. Not to be used by two at once: it computes in memory of its own. */
export class LearnedIntents {
  readonly #names: readonly string[]
  readonly #head: LinearClasses
  readonly #rows: Float32Array
  readonly #scales: Scales
  readonly #nearest: NearestOfClass
  readonly #nearestShare: number
  readonly #logits: Float64Array
  /** Scores of own examples that were left out of the training, ascending. */
  readonly #usual: Float64Array

  constructor(names: readonly string[], head: LinearClasses, { vectors, labels }: OwnRows, usual: readonly Scope[]) {
    this.#names = names
    this.#head = head
    this.#rows = vectors
    this.#nearestShare = nearestShare(vectors.length / head.dimensions / names.length)
    this.#nearest = { labels, into: new Float64Array(names.length) }
    this.#scales = scalesOf(usual)
    this.#logits = new Float64Array(head.classes)
    this.#usual = Float64Array.from(usual, (scope) => this.#scale(scope)).sort()
  }

  read(vector: Float32Array): ReadIntent {
    const intents = this.#names.length
    const logits = this.#logits
    logitsOf(this.#head, vector, logits)
    const scope = scopeAt(this.#head, intents, this.#rows, vector, logits, this.#nearest)
    for (let each = 0; each < intents; each++)
      logits[each] = (logits[each] as number) + this.#nearestShare * (this.#nearest.into[each] as number)
    const best = likeliest(logits, intents)
    return {
      name: this.#names[best] as string,
      confidence: Math.exp((logits[best] as number) - energyOf(logits, intents)),
      scope: this.#scale(scope),
    }
  }

  /** The score that this share of requests in scope stays below. */
  scopeBelow(share: number): number {
    return this.#usual[Math.min(this.#usual.length - 1, Math.floor(share * this.#usual.length))] ?? -Infinity
  }

  #scale({ energy, near }: Scope): number {
    const { meanEnergy, spreadEnergy, meanNear, spreadNear } = this.#scales
    return ((energy - meanEnergy) / spreadEnergy + (near - meanNear) / spreadNear) / 2
  }
}

/** Learns; the same examples in the same order give the same. Needs an intent with an example at least. */
export function* learnIntents(
  intents: readonly IntentExamples[],
  { fit = FIT, background = [], knowsScope = true }: LearnOptions = {},
): Generator<void, LearnedIntents> {
  const names = intents.map(({ name }) => name)
  const rows = rowsOf(
    intents.map(({ vectors }) => vectors),
    background,
  )
  const head = yield* fitLogistic(rows, { fit })
  const own = rows.vectors.subarray(0, intents.reduce((sum, { vectors }) => sum + vectors.length, 0) * rows.dimensions)
  const usual: Scope[] = []
  const some = intents.map(({ vectors }) => vectors.slice(0, CALIBRATED))
  const folds = knowsScope ? FOLDS : 0
  for (let fold = 0; fold < folds; fold++) {
    const kept = some.map((vectors) => vectors.filter((_, i) => vectors.length === 1 || i % FOLDS !== fold))
    const left = some.flatMap((vectors) => vectors.filter((_, i) => i % FOLDS === fold))
    if (left.length === 0) continue
    const without = rowsOf(kept, background)
    const partial = yield* fitLogistic(without, { fit })
    const known = without.vectors.subarray(0, kept.reduce((sum, { length }) => sum + length, 0) * rows.dimensions)
    const logits = new Float64Array(partial.classes)
    for (const vector of left) {
      logitsOf(partial, vector, logits)
      usual.push(scopeAt(partial, names.length, known, vector, logits))
    }
    yield
  }
  return new LearnedIntents(names, head, { vectors: own.slice(), labels: rows.labels }, usual)
}

/** The same at once, for whoever has nothing else to do. */
export function learnIntentsAtOnce(intents: readonly IntentExamples[], options?: LearnOptions): LearnedIntents {
  return atOnce(learnIntents(intents, options))
}

interface OwnRows {
  readonly vectors: Float32Array
  readonly labels: Uint16Array
}

interface Scope {
  readonly energy: number
  readonly near: number
}

interface Scales {
  readonly meanEnergy: number
  readonly spreadEnergy: number
  readonly meanNear: number
  readonly spreadNear: number
}

/** With a background, energy is how much better the best intents fit than it does. */
function scopeAt(
  { classes, dimensions }: LinearClasses,
  own: number,
  rows: Float32Array,
  vector: Float32Array,
  logits: Float64Array,
  nearest?: NearestOfClass,
): Scope {
  const energy = energyOf(logits, own) - (classes > own ? (logits[own] as number) : 0)
  return { energy, near: nearness(rows, dimensions, vector, nearest) }
}

function scalesOf(usual: readonly Scope[]): Scales {
  const energy = momentsOf(usual.map((scope) => scope.energy))
  const near = momentsOf(usual.map((scope) => scope.near))
  return {
    meanEnergy: energy.mean,
    spreadEnergy: energy.spread,
    meanNear: near.mean,
    spreadNear: near.spread,
  }
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly spread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)
  return { mean, spread: Math.max(1e-6, Math.sqrt(squares)) }
}

/** One class per list, and one for the background where there is one. */
function rowsOf(lists: readonly (readonly Float32Array[])[], background: readonly Float32Array[]): LabelledRows {
  const all = background.length === 0 ? lists : [...lists, background]
  const dimensions = lists[0]?.[0]?.length ?? 0
  const flat = all.flat()
  const vectors = new Float32Array(flat.length * dimensions)
  for (const [i, vector] of flat.entries()) vectors.set(vector, i * dimensions)
  return {
    dimensions,
    vectors,
    labels: Uint16Array.from(all.flatMap((list, label) => list.map(() => label))),
    classes: all.length,
  }
}
