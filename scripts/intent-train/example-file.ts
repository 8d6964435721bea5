/** The built-in intents' examples, and how a model is made of some of them. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { DIMENSIONS } from '../../src/encoder/encoder.ts'
import { featuresOf, type RoutingFeatures } from '../../src/routing/features.ts'
import type { BuiltInParts } from '../../src/routing/intent/built-in-intents.ts'
import { atOnce, fitLogistic } from '../../src/routing/intent/fit-logistic.ts'
import { COUNT_PLACES, eachGram } from '../../src/routing/intent/intent-words.ts'
import { BUILT_IN_INTENTS } from '../../src/shared/intent-names.ts'
import { askOf } from '../support/plain-call.ts'

export const EXAMPLE_FILE: URL = new URL('../../router-models/intents/examples.yaml', import.meta.url)

export interface IntentExample {
  /** Number of its intent. */
  readonly intent: number
  readonly text: string
  readonly features: RoutingFeatures
}

const CLASSES = BUILT_IN_INTENTS.length
/** Weights of the rows against the penalty: of words and counts, and of vectors. */
const WORD_FIT = 60
const VECTOR_FIT = 20
/** Chosen by cross-validation (see the card). */
const WORD_SHARE = 0.3
const LEAST = { plain: 0.22, encoded: 0.3 }

/** In the order of the file. Throws Error where an intent of the closed set has no examples, or the file has another. */
export function readExamples(): IntentExample[] {
  const lists = z.record(z.string(), z.array(z.string())).parse(parse(readFileSync(EXAMPLE_FILE, 'utf8')))
  if (Object.keys(lists).join() !== BUILT_IN_INTENTS.join())
    throw new Error(`${EXAMPLE_FILE.pathname} must have the intents ${BUILT_IN_INTENTS.join(', ')}, in this order`)
  return BUILT_IN_INTENTS.flatMap((name, intent) =>
    (lists[name] ?? []).map((text) => ({ intent, text, features: featuresOf(askOf(text)) })),
  )
}

/** The parts of a model of these examples; `vectors` = one per example. */
export function partsOf(examples: readonly IntentExample[], vectors: readonly Float32Array[]): BuiltInParts {
  const labels = Uint16Array.from(examples, ({ intent }) => intent)
  const encoded = atOnce(
    fitLogistic({ dimensions: DIMENSIONS, vectors: flat(vectors), labels, classes: CLASSES }, { fit: VECTOR_FIT }),
  )
  const grams = gramsOf(examples)
  const numbers = new Map([...grams].map((hash, number) => [hash, number]))
  const dimensions = grams.length + COUNT_PLACES.length
  const rows = examples.map(({ features }) => {
    const row = new Float32Array(dimensions)
    let known = 0
    eachGram(features.text, (hash) => {
      const number = numbers.get(hash)
      if (number === undefined) return
      known++
      row[number] = (row[number] as number) + 1
    })
    for (let i = 0; i < grams.length; i++) row[i] = (row[i] as number) / Math.sqrt(Math.max(1, known))
    for (const [i, place] of COUNT_PLACES.entries())
      row[grams.length + i] = COUNT_SHARE * (features.counts[place] as number)
    return row
  })
  const words = atOnce(fitLogistic({ dimensions, vectors: flat(rows), labels, classes: CLASSES }, { fit: WORD_FIT }))
  const at = (each: number, place: number): number => words.weights[each * dimensions + place] as number
  const perGram = Float32Array.from({ length: grams.length * CLASSES }, (_, i) =>
    at(i % CLASSES, Math.floor(i / CLASSES)),
  )
  const gramScale = perGram.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1e-9) / 127
  return {
    grams,
    gramWeights: Int8Array.from(perGram, (weight) => Math.round(weight / gramScale)),
    gramScale,
    countWeights: Float32Array.from(
      { length: COUNT_PLACES.length * CLASSES },
      (_, i) => COUNT_SHARE * at(i % CLASSES, grams.length + Math.floor(i / CLASSES)),
    ),
    biases: words.biases,
    encoded,
    examples: Int8Array.from(flat(vectors), (value) => Math.round(value * 127)),
    wordShare: WORD_SHARE,
    least: LEAST,
  }
}

/** Counts are logarithms up to about 5, words at most 1. */
const COUNT_SHARE = 0.3

/** Every word and pair of the examples. */
function gramsOf(examples: readonly IntentExample[]): Int32Array {
  const times = new Map<number, number>()
  for (const { features } of examples) eachGram(features.text, (hash) => times.set(hash, (times.get(hash) ?? 0) + 1))
  return Int32Array.from([...times].map(([hash]) => hash)).sort()
}

function flat(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]?.length ?? 0
  const all = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) all.set(row, i * width)
  return all
}
