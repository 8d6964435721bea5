/**
 * The two files of the built-in intents. `.bin`: int32 hashes, int8 weights of the words, float32 weights of the counts, biases, the
 * encoder's weights and biases, int8 vectors of the examples, little-endian, one after the other; `.json` says how many of each.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { DIMENSIONS } from '../../encoder/encoder.ts'
import { BuiltInIntents, type BuiltInParts } from './built-in-intents.ts'
import { INTENT_COUNTS } from './intent-words.ts'
import { BUILT_IN_INTENTS } from '../../shared/intent-names.ts'

const FORMAT = 'switchyard-intents-1'
const CLASSES = BUILT_IN_INTENTS.length

interface Meta {
  readonly format: typeof FORMAT
  readonly intents: readonly string[]
  readonly counts: readonly string[]
  readonly grams: number
  readonly examples: number
  readonly gramScale: number
  readonly wordShare: number
  readonly least: { readonly plain: number; readonly encoded: number }
  readonly encoderSha256: string
  readonly binSha256: string
}

const share = z.number().min(0).max(1)
const metaSchema: z.ZodType<Meta> = z.strictObject({
  format: z.literal(FORMAT),
  intents: z.array(z.string()),
  counts: z.array(z.string()),
  grams: z.int().min(0).max(32_767),
  examples: z.int().min(0).max(100_000),
  gramScale: z.number(),
  wordShare: z.number(),
  least: z.strictObject({ plain: share, encoded: share }),
  encoderSha256: z.string(),
  binSha256: z.string(),
})

export interface BuiltInFiles {
  readonly bin: Uint8Array
  readonly json: string
}

/** The same parts give the same bytes. `encoderSha256` = of the weights that made the vectors. */
export function encodeBuiltIn(parts: BuiltInParts, encoderSha256: string): BuiltInFiles {
  const { grams, gramWeights, countWeights, biases, encoded, examples } = parts
  const bin = Buffer.concat(
    [grams, gramWeights, countWeights, biases, encoded.weights, encoded.biases, examples].map((each) =>
      Buffer.from(each.buffer, each.byteOffset, each.byteLength),
    ),
  )
  const meta: Meta = {
    format: FORMAT,
    intents: BUILT_IN_INTENTS,
    counts: INTENT_COUNTS,
    grams: grams.length,
    examples: examples.length / DIMENSIONS,
    gramScale: parts.gramScale,
    wordShare: parts.wordShare,
    least: parts.least,
    encoderSha256,
    binSha256: sha256(bin),
  }
  return { bin, json: `${JSON.stringify(meta, null, 2)}\n` }
}

/** Throws Error with one sentence where the files are damaged or made for another version. */
export function decodeBuiltIn({ bin, json }: BuiltInFiles): BuiltInParts {
  const parsed = metaSchema.safeParse(JSON.parse(json))
  if (!parsed.success) throw new Error(`the description is wrong at ${parsed.error.issues[0]?.path.join('.') ?? '?'}`)
  const meta = parsed.data
  const found = sha256(bin)
  if (found !== meta.binSha256) throw new Error(`the weights have SHA-256 ${found}, not ${meta.binSha256}`)
  if (meta.intents.join() !== BUILT_IN_INTENTS.join() || meta.counts.join() !== INTENT_COUNTS.join())
    throw new Error('the weights were made for other intents than this version knows')
  const sizes = [4 * meta.grams, meta.grams * CLASSES, 4 * INTENT_COUNTS.length * CLASSES, 4 * CLASSES]
  const rest = [4 * CLASSES * DIMENSIONS, 4 * CLASSES, meta.examples * DIMENSIONS]
  if (bin.length !== [...sizes, ...rest].reduce((sum, size) => sum + size, 0))
    throw new Error('the weights have another length than their description says')
  let at = 0
  // Copied, so that numbers of four bytes stand where they must.
  const next = (bytes: number): ArrayBuffer => Uint8Array.from(bin.subarray(at, (at += bytes))).buffer
  const [grams, gramWeights, countWeights, biases] = sizes.map(next) as [
    ArrayBuffer,
    ArrayBuffer,
    ArrayBuffer,
    ArrayBuffer,
  ]
  const [weights, ownBiases, examples] = rest.map(next) as [ArrayBuffer, ArrayBuffer, ArrayBuffer]
  return {
    grams: new Int32Array(grams),
    gramWeights: new Int8Array(gramWeights),
    gramScale: meta.gramScale,
    countWeights: new Float32Array(countWeights),
    biases: new Float32Array(biases),
    encoded: {
      classes: CLASSES,
      dimensions: DIMENSIONS,
      weights: new Float32Array(weights),
      biases: new Float32Array(ownBiases),
    },
    examples: new Int8Array(examples),
    wordShare: meta.wordShare,
    least: meta.least,
  }
}

/** Reads `<path>.bin` and `<path>.json`, once at start. Throws Error naming the file where it is missing or damaged. */
export function loadBuiltInIntents(path: string): BuiltInIntents {
  try {
    return new BuiltInIntents(
      decodeBuiltIn({ bin: readFileSync(`${path}.bin`), json: readFileSync(`${path}.json`, 'utf8') }),
    )
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Intents ${path}: ${why}. \`npm run intent:train\` makes them anew.`, { cause })
  }
}

/** The examples' vectors at full length. */
export function exampleVectors({ examples }: BuiltInParts): readonly Float32Array[] {
  return Array.from({ length: examples.length / DIMENSIONS }, (_, row) => {
    const vector = Float32Array.from(examples.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS))
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  })
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
