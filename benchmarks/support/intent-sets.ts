/** Utterances with intents, and the reference lines that stand beside ours. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'

/** The label of what is none of the intents. */
export const OUT_OF_SCOPE = 'oos'

export interface Utterance {
  readonly text: string
  readonly intent: string
  readonly domain: string
}

export interface IntentSet {
  /** File name up to the first dot. */
  readonly name: string
  readonly rows: readonly Utterance[]
}

const utterance = z.object({ text: z.string(), intent: z.string(), domain: z.string().nullish() })

/** Every `*.jsonl.gz` of a folder whose lines are utterances with an intent. */
export function readIntentSets(folder: URL): IntentSet[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz')) : []
  const sets = names.sort().flatMap((name): IntentSet[] => {
    const lines = gunzipSync(readFileSync(new URL(name, folder)))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
    if (!utterance.safeParse(JSON.parse(lines[0] ?? 'null')).success) return []
    const rows = lines.map((line) => {
      const { text, intent, domain } = utterance.parse(JSON.parse(line))
      return { text, intent, domain: domain ?? '' }
    })
    return [{ name: name.split('.')[0] as string, rows }]
  })
  if (sets.length === 0) throw new Error(`${fileURLToPath(folder)} has no *.jsonl.gz with utterances and intents.`)
  return sets
}

/** One of `folds` parts by the hash of the text. */
export function foldOf(text: string, folds: number, salt: string = ''): number {
  return Number.parseInt(createHash('sha256').update(`${salt}${text}`).digest('hex').slice(0, 8), 16) % folds
}

/** Nearest centroid of TF-IDF words: what word counting alone comes to. Accuracy. */
export function tfidfAccuracy(train: readonly Utterance[], test: readonly Utterance[]): number {
  const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const documents = new Map<string, number>()
  for (const { text } of train)
    for (const word of new Set(wordsOf(text))) documents.set(word, (documents.get(word) ?? 0) + 1)
  const vectorOf = (text: string): Map<string, number> => {
    const weights = new Map<string, number>()
    for (const word of wordsOf(text)) {
      const seen = documents.get(word)
      if (seen !== undefined) weights.set(word, (weights.get(word) ?? 0) + Math.log(train.length / seen))
    }
    return unit(weights)
  }
  const centroids = new Map<string, Map<string, number>>()
  for (const { text, intent } of train) {
    let centroid = centroids.get(intent)
    if (centroid === undefined) centroids.set(intent, (centroid = new Map()))
    for (const [word, weight] of vectorOf(text)) centroid.set(word, (centroid.get(word) ?? 0) + weight)
  }
  const units = [...centroids].map(([intent, centroid]) => ({ intent, centroid: unit(centroid) }))
  const right = test.filter(({ text, intent }) => {
    const vector = vectorOf(text)
    let best = { intent: '', cosine: -1 }
    for (const { intent: name, centroid } of units) {
      let cosine = 0
      for (const [word, weight] of vector) cosine += weight * (centroid.get(word) ?? 0)
      if (cosine > best.cosine) best = { intent: name, cosine }
    }
    return best.intent === intent
  })
  return right.length / Math.max(1, test.length)
}

/** Nearest centroid of the encoder's vectors. Accuracy. */
export function centroidAccuracy(
  train: ReadonlyMap<string, readonly Float32Array[]>,
  test: readonly { readonly intent: string; readonly vector: Float32Array }[],
): number {
  const units = [...train].map(([intent, vectors]) => {
    const sum = new Float64Array(vectors[0]?.length ?? 0)
    for (const vector of vectors)
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (vector[i] as number)
    const length = Math.hypot(...sum)
    return { intent, centroid: sum.map((value) => value / length) }
  })
  const right = test.filter(({ intent, vector }) => {
    let best = { intent: '', cosine: -2 }
    for (const { intent: name, centroid } of units) {
      let cosine = 0
      for (let i = 0; i < vector.length; i++) cosine += (vector[i] as number) * (centroid[i] as number)
      if (cosine > best.cosine) best = { intent: name, cosine }
    }
    return best.intent === intent
  })
  return right.length / Math.max(1, test.length)
}

/** Share of pairs in which what is inside scores above what is outside; ties count half. */
export function aurocOf(inside: readonly number[], outside: readonly number[]): number {
  const sorted = [...outside].sort((a, b) => a - b)
  const below = (score: number, isStrict: boolean): number => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      const value = sorted[middle] as number
      if (isStrict ? value < score : value <= score) low = middle + 1
      else high = middle
    }
    return low
  }
  const sum = inside.reduce((total, score) => total + (below(score, true) + below(score, false)) / 2, 0)
  return sum / (inside.length * outside.length)
}

function unit(weights: ReadonlyMap<string, number>): Map<string, number> {
  const length = Math.hypot(...weights.values())
  return new Map([...weights].map(([word, weight]) => [word, length === 0 ? 0 : weight / length]))
}
