/**
 * A head as two files: `NAME.bin` holds the n-gram weights (16,384 signed 16-bit integers, little-endian), `NAME.json` everything
 * else and the SHA-256 of the first, so that a cut, swapped or edited file is found at start and not in wrong decisions.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { COUNT_NAMES, HEAD_CHARS, TAIL_CHARS } from './features.ts'
import type { CountWeight, LinearHeadParts } from './linear-head.ts'
import { BUCKETS, HASH_SEED } from './ngram-counter.ts'

export interface HeadMeta {
  readonly format: 'switchyard-linear-head-1'
  /** What the features were made with; a head only fits the code it was trained for. */
  readonly features: {
    readonly buckets: number
    readonly hashSeed: number
    readonly headChars: number
    readonly tailChars: number
    readonly counts: readonly (CountWeight & { readonly name: string })[]
  }
  readonly scale: number
  readonly bias: number
  readonly slope: number
  readonly offset: number
  /** Mean score over the training rows. */
  readonly meanScore: number
  /** Scores of the training rows at equal steps of rank, in rising order: what is usual before anything was seen. */
  readonly usualScores: readonly number[]
  readonly weightsSha256: string
}

const headMeta: z.ZodType<HeadMeta> = z.strictObject({
  format: z.literal('switchyard-linear-head-1'),
  features: z.strictObject({
    buckets: z.number(),
    hashSeed: z.number(),
    headChars: z.number(),
    tailChars: z.number(),
    counts: z.array(z.strictObject({ name: z.string(), weight: z.number(), low: z.number(), high: z.number() })),
  }),
  scale: z.number(),
  bias: z.number(),
  slope: z.number(),
  offset: z.number(),
  meanScore: z.number(),
  usualScores: z.array(z.number().min(0).max(1)).min(1).max(128),
  weightsSha256: z.string(),
})

export interface HeadFiles {
  readonly bin: Uint8Array
  readonly json: string
}

/** The parts that `bin` and `json` hold. Throws Error with one sentence where they are damaged or made for other features. */
export function decodeHead({ bin, json }: HeadFiles): LinearHeadParts & Pick<HeadMeta, 'usualScores'> {
  const meta = parseMeta(json)
  const hash = sha256(bin)
  if (hash !== meta.weightsSha256) {
    throw new Error(`the weights have SHA-256 ${hash}, but their description says ${meta.weightsSha256}`)
  }
  const { features } = meta
  const isOurs =
    features.buckets === BUCKETS &&
    features.hashSeed === HASH_SEED &&
    features.headChars === HEAD_CHARS &&
    features.tailChars === TAIL_CHARS &&
    features.counts.map(({ name }) => name).join() === COUNT_NAMES.join() &&
    bin.length === BUCKETS * 2
  if (!isOurs) throw new Error('the weights were trained for other features than this version computes')
  const view = new DataView(bin.buffer, bin.byteOffset, bin.byteLength)
  return {
    weights: Int16Array.from({ length: BUCKETS }, (_, i) => view.getInt16(i * 2, true)),
    scale: meta.scale,
    counts: features.counts,
    bias: meta.bias,
    slope: meta.slope,
    offset: meta.offset,
    usualScores: meta.usualScores,
  }
}

/** The two files of a head; the same parts give the same bytes. */
export function encodeHead(
  parts: LinearHeadParts,
  { meanScore, usualScores }: Pick<HeadMeta, 'meanScore' | 'usualScores'>,
): HeadFiles {
  const bin = new Uint8Array(BUCKETS * 2)
  const view = new DataView(bin.buffer)
  parts.weights.forEach((weight, i) => view.setInt16(i * 2, weight, true))
  const meta: HeadMeta = {
    format: 'switchyard-linear-head-1',
    features: {
      buckets: BUCKETS,
      hashSeed: HASH_SEED,
      headChars: HEAD_CHARS,
      tailChars: TAIL_CHARS,
      counts: parts.counts.map(({ weight, low, high }, i) => ({ name: COUNT_NAMES[i] as string, weight, low, high })),
    },
    scale: parts.scale,
    bias: parts.bias,
    slope: parts.slope,
    offset: parts.offset,
    meanScore,
    usualScores,
    weightsSha256: sha256(bin),
  }
  return { bin, json: `${JSON.stringify(meta, null, 2)}\n` }
}

function parseMeta(json: string): HeadMeta {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new Error('the description of the weights is no JSON', { cause })
  }
  const parsed = headMeta.safeParse(value)
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
