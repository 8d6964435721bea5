/** The built-in intents of a request: by its words, counts and shape in about a microsecond, and better with the encoder's vector. */
import type { RoutingFeatures } from '../features.ts'
import { COUNT_PLACES, eachGram, GramTable } from './intent-words.ts'
import { energyOf, likeliest, logitsOf, type LinearClasses } from './linear-classes.ts'
import { BUILT_IN_INTENTS, OTHER_INTENT } from '../../shared/intent-names.ts'
import { addStructure } from './structure.ts'

export interface BuiltInParts {
  /** Of the words and pairs that are known. */
  readonly grams: Int32Array
  /** A row per gram with a number per intent; times `gramScale`. */
  readonly gramWeights: Int8Array
  readonly gramScale: number
  /** A row per entry of `INTENT_COUNTS` with a number per intent. */
  readonly countWeights: Float32Array
  readonly biases: Float32Array
  /** By the encoder's vector. */
  readonly encoded: LinearClasses
  /** Unit vectors of the examples, int8 with 1 / 127 each: what an ordinary request looks like to intents of one's own. */
  readonly examples: Int8Array
  /** How much the words count beside the vector. */
  readonly wordShare: number
  /** Below this probability the answer is `other`. */
  readonly least: { readonly plain: number; readonly encoded: number }
}

export interface IntentReading {
  readonly name: string
  /** Probability that it is this one, 0..1; of `other`, that of the likeliest. */
  readonly confidence: number
  readonly isOutOfScope: boolean
}

const CLASSES = BUILT_IN_INTENTS.length

export class BuiltInIntents {
  readonly parts: BuiltInParts
  readonly #table: GramTable
  readonly #values = new Float64Array(CLASSES)
  readonly #encoded = new Float64Array(CLASSES)

  constructor(parts: BuiltInParts) {
    this.parts = parts
    this.#table = new GramTable(parts.grams)
  }

  read(features: RoutingFeatures, vector?: Float32Array): IntentReading {
    const best = this.#best(features, vector)
    const { least } = this.parts
    const confidence = Math.exp((this.#values[best] as number) - energyOf(this.#values, CLASSES))
    const isOutOfScope = features.text === '' || confidence < (vector === undefined ? least.plain : least.encoded)
    return { name: isOutOfScope ? OTHER_INTENT : (BUILT_IN_INTENTS[best] as string), confidence, isOutOfScope }
  }

  /** The number of the likeliest intent, whatever its probability. */
  likeliest(features: RoutingFeatures, vector?: Float32Array): number {
    return this.#best(features, vector)
  }

  #best(features: RoutingFeatures, vector: Float32Array | undefined): number {
    const values = this.#values
    this.#readWords(features)
    if (vector !== undefined) {
      const { encoded, wordShare } = this.parts
      logitsOf(encoded, vector, this.#encoded)
      for (let each = 0; each < CLASSES; each++)
        values[each] = wordShare * (values[each] as number) + (this.#encoded[each] as number)
    }
    addStructure(features.counts, values)
    return likeliest(values, CLASSES)
  }

  #readWords({ text, counts }: RoutingFeatures): void {
    const { gramWeights, gramScale, countWeights, biases } = this.parts
    const values = this.#values
    values.fill(0)
    let known = 0
    eachGram(text, (hash) => {
      const number = this.#table.numberOf(hash)
      if (number === -1) return
      known++
      const from = number * CLASSES
      for (let each = 0; each < CLASSES; each++)
        values[each] = (values[each] as number) + (gramWeights[from + each] as number)
    })
    const scale = known === 0 ? 0 : gramScale / Math.sqrt(known)
    for (let each = 0; each < CLASSES; each++)
      values[each] = (values[each] as number) * scale + (biases[each] as number)
    for (let i = 0; i < COUNT_PLACES.length; i++) {
      const count = counts[COUNT_PLACES[i] as number] as number
      if (count === 0) continue
      for (let each = 0; each < CLASSES; each++)
        values[each] = (values[each] as number) + count * (countWeights[i * CLASSES + each] as number)
    }
  }
}
