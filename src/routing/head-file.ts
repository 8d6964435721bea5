/**
 * Heads as two files: `NAME.bin` holds the numbers of all experts one after the other (little-endian), `NAME.json` everything else
 * and the SHA-256 of the first, so that a cut, swapped or edited file is found at start and not in wrong decisions.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { COUNT_NAMES, HEAD_CHARS, TAIL_CHARS } from './features.ts'
import type { GainExpertParts, Mixture } from './gain-expert.ts'
import type { GainHeadsParts, KindExpert } from './gain-heads.ts'
import { KINDS, type Kind } from './kind.ts'
import type { RecordedPair } from './model-strength.ts'
import { BUCKETS } from './ngram-counter.ts'
import { HASH_SEED, WORD_CLASSES } from './word-classes.ts'

const FORMAT = 'switchyard-gain-heads-1'
/** Length of the encoder's vectors (all-MiniLM-L6-v2). */
export const ENCODER_DIMENSIONS = 384

/** What the features were made with; heads only fit the code they were trained for. */
interface FeatureMeta {
  readonly buckets: number
  readonly hashSeed: number
  readonly headChars: number
  readonly tailChars: number
  readonly counts: readonly string[]
  readonly wordClassesSha256: string
}

interface ExpertMeta {
  readonly pair: string | null
  readonly kind: Kind
  readonly rows: number
  readonly wordScale: number
  readonly countBias: number
  readonly trees: number
  readonly depth: number
  readonly plain: Mixture
  readonly encoded: Mixture
}

interface HeadsMeta {
  readonly format: typeof FORMAT
  readonly features: FeatureMeta
  readonly pairs: readonly RecordedPair[]
  readonly usualScores: readonly number[]
  readonly strengths: Readonly<Record<string, number>>
  readonly experts: readonly ExpertMeta[]
  readonly weightsSha256: string
}

const mixture = z.strictObject({
  bias: z.number(),
  words: z.number(),
  counts: z.number(),
  trees: z.number(),
  encoder: z.number(),
})
const usualScores = z.array(z.number().min(0).max(1)).min(1).max(128)
const headsMeta: z.ZodType<HeadsMeta> = z.strictObject({
  format: z.literal(FORMAT),
  features: z.strictObject({
    buckets: z.number(),
    hashSeed: z.number(),
    headChars: z.number(),
    tailChars: z.number(),
    counts: z.array(z.string()),
    wordClassesSha256: z.string(),
  }),
  pairs: z.array(
    z.strictObject({ name: z.string(), small: z.string(), big: z.string(), meanGain: z.number(), usualScores }),
  ),
  usualScores,
  strengths: z.record(z.string(), z.number()),
  experts: z.array(
    z.strictObject({
      pair: z.string().nullable(),
      kind: z.enum(KINDS),
      rows: z.int().min(0),
      wordScale: z.number(),
      countBias: z.number(),
      trees: z.int().min(0).max(10_000),
      depth: z.int().min(1).max(8),
      plain: mixture,
      encoded: mixture,
    }),
  ),
  weightsSha256: z.string(),
})

export interface HeadFiles {
  readonly bin: Uint8Array
  readonly json: string
}

/** The parts that `bin` and `json` hold. Throws Error with one sentence where they are damaged or made for other features. */
export function decodeHeads({ bin, json }: HeadFiles): GainHeadsParts {
  const meta = parseMeta(json)
  const hash = sha256(bin)
  if (hash !== meta.weightsSha256) {
    throw new Error(`the weights have SHA-256 ${hash}, but their description says ${meta.weightsSha256}`)
  }
  if (JSON.stringify(meta.features) !== JSON.stringify(FEATURES)) {
    throw new Error('the weights were trained for other features than this version computes')
  }
  if (bin.length !== meta.experts.reduce((sum, expert) => sum + bytesOf(expert), 0)) {
    throw new Error('the weights have another length than their description says')
  }
  let from = 0
  const experts = meta.experts.map((expert): KindExpert => {
    const parts = readExpert(bin.subarray(from, from + bytesOf(expert)), expert)
    from += bytesOf(expert)
    return { pair: expert.pair ?? undefined, kind: expert.kind, rows: expert.rows, parts }
  })
  return { pairs: meta.pairs, usualScores: meta.usualScores, strengths: meta.strengths, experts }
}

/** The two files of heads; the same parts give the same bytes. */
export function encodeHeads({ pairs, usualScores, strengths, experts }: GainHeadsParts): HeadFiles {
  const bin = Buffer.concat(experts.map(({ parts }) => writeExpert(parts)))
  const meta: HeadsMeta = {
    format: FORMAT,
    features: FEATURES,
    pairs,
    usualScores,
    strengths,
    experts: experts.map(({ pair, kind, rows, parts }) => ({
      pair: pair ?? null,
      kind,
      rows,
      wordScale: parts.wordScale,
      countBias: parts.countBias,
      trees: parts.trees.features.length / innerNodes(parts.trees.depth),
      depth: parts.trees.depth,
      plain: parts.plain,
      encoded: parts.encoded,
    })),
    weightsSha256: sha256(bin),
  }
  return { bin, json: `${JSON.stringify(meta, null, 2)}\n` }
}

const FEATURES: FeatureMeta = {
  buckets: BUCKETS,
  hashSeed: HASH_SEED,
  headChars: HEAD_CHARS,
  tailChars: TAIL_CHARS,
  counts: COUNT_NAMES,
  wordClassesSha256: sha256(Buffer.from(JSON.stringify(WORD_CLASSES))),
}

function innerNodes(depth: number): number {
  return (1 << depth) - 1
}

/** Numbers of four bytes in an expert: three per count, thresholds, leaves, the encoder's weights. */
function floatLengths({ trees, depth }: ExpertMeta): readonly [number, number, number, number, number, number] {
  const counts = COUNT_NAMES.length
  return [counts, counts, counts, trees * innerNodes(depth), trees << depth, ENCODER_DIMENSIONS]
}

function bytesOf(expert: ExpertMeta): number {
  const floats = floatLengths(expert).reduce((sum, length) => sum + length, 0)
  return BUCKETS + expert.trees * innerNodes(expert.depth) + 4 * floats
}

function readExpert(bytes: Uint8Array, meta: ExpertMeta): GainExpertParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const floats = (length: number): Float32Array => {
    const values = Float32Array.from({ length }, (_, i) => view.getFloat32(at + 4 * i, true))
    at += 4 * length
    return values
  }
  const words = Int8Array.from(bytes.subarray(0, BUCKETS))
  at = BUCKETS
  const inner = meta.trees * innerNodes(meta.depth)
  const features = Uint8Array.from(bytes.subarray(at, at + inner))
  if (features.some((count) => count >= COUNT_NAMES.length))
    throw new Error('a tree looks at a count that there is not')
  at += inner
  const [weights, lows, highs, thresholds, leaves, encoder] = floatLengths(meta).map(floats) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  return {
    words,
    wordScale: meta.wordScale,
    counts: { weights, lows, highs },
    countBias: meta.countBias,
    trees: { depth: meta.depth, features, thresholds, leaves },
    encoder,
    plain: meta.plain,
    encoded: meta.encoded,
  }
}

function writeExpert({ words, counts, trees, encoder }: GainExpertParts): Buffer {
  const lists = [counts.weights, counts.lows, counts.highs, trees.thresholds, trees.leaves, encoder]
  const floats = Buffer.alloc(4 * lists.reduce((sum, list) => sum + list.length, 0))
  let at = 0
  for (const list of lists) for (const value of list) at = floats.writeFloatLE(value, at)
  return Buffer.concat([Buffer.from(words.buffer, words.byteOffset, words.length), trees.features, floats])
}

function parseMeta(json: string): HeadsMeta {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new Error('the description of the weights is no JSON', { cause })
  }
  const parsed = headsMeta.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(
      `the description of the weights is wrong at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? '?'}`,
    )
  }
  return parsed.data
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
