/** The lines that a router is compared with. */
import { foldOf, type Example } from '../../scripts/router-train/outcome-sets.ts'
import { gapCurve } from '../../scripts/router-train/ranking.ts'

export function gainsOf(rows: readonly Example[]): number[] {
  return rows.map(({ big, small }) => big - small)
}

export function apgrOf(scores: readonly number[], gains: readonly number[]): number {
  return gapCurve(scores, gains).apgr
}

const SAMPLES = 100

/** APGR with its standard error over bootstrap samples, the same ones every time. */
export function apgrWithError(
  scores: readonly number[],
  gains: readonly number[],
): { readonly apgr: number; readonly se: number } {
  const random = seededRandom(1)
  const samples = Array.from({ length: SAMPLES }, () => {
    const rows = scores.map(() => Math.floor(random() * scores.length))
    return apgrOf(
      rows.map((row) => scores[row] as number),
      rows.map((row) => gains[row] as number),
    )
  }).filter(Number.isFinite)
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length
  return { apgr: apgrOf(scores, gains), se: Math.sqrt(variance) }
}

/** Mean gain of each row's domain over the other folds: what a router gets that knows the subject and nothing else. */
export function domainScores(rows: readonly Example[]): number[] {
  const folds = rows.map(({ stem }) => foldOf(stem, 5))
  const sums = new Map<string, { gain: number; rows: number }>()
  const add = (key: string, gain: number): void => {
    const sum = sums.get(key) ?? { gain: 0, rows: 0 }
    sum.gain += gain
    sum.rows++
    sums.set(key, sum)
  }
  for (const [i, { domain, big, small }] of rows.entries()) {
    for (const key of [domain, `${domain} ${folds[i]}`]) add(key, big - small)
  }
  return rows.map(({ domain }, i) => {
    const all = sums.get(domain) as { gain: number; rows: number }
    const own = sums.get(`${domain} ${folds[i]}`) as { gain: number; rows: number }
    return all.rows === own.rows ? 0 : (all.gain - own.gain) / (all.rows - own.rows)
  })
}

/** Uniform in [0, 1); mulberry32: repeatable is all that is asked of it. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
