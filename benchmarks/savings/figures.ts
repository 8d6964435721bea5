/** From what was asked to what it costs to be nearly as good as the big model. */
import { seededRandom } from '../support/router-lines.ts'
import type { Asked } from './ask-all.ts'
import { SWEEP, WAYS, type Way } from './routes.ts'

/** One question, asked in every way; dollars by the ledger. */
export type Row = ReadonlyMap<Way, Asked>

/** Shares of the big model's quality at which costs are compared. */
export const WANTED = [0.9, 0.95, 0.98] as const

export interface Point {
  /** Sum over the rows. */
  readonly quality: number
  readonly usd: number
}

/** US dollars per 1,000 questions at a wanted quality. */
export interface CostAt {
  readonly ours: number
  /** A coin decides who goes to the big model. */
  readonly random: number
  /** Both outcomes and both prices are known before. */
  readonly oracle: number
}

export interface Figures {
  readonly n: number
  readonly small: { readonly quality: number; readonly usd: number }
  readonly big: { readonly quality: number; readonly usd: number }
  /** Share of the big model's quality -> costs. */
  readonly at: Readonly<Record<string, CostAt & { readonly saving: number; readonly savingSe: number }>>
  /** Setting -> mean quality, dollars per 1,000, shares. */
  readonly curve: readonly {
    readonly costQuality: number
    readonly quality: number
    readonly usd: number
    readonly big: number
    readonly escalated: number
  }[]
}

const SAMPLES = 200

export function figuresOf(rows: readonly Row[]): Figures {
  const per = 1000 / rows.length
  const mean = (way: Way, of: (asked: Asked) => number): number => sum(rows, way, of) / rows.length
  const end = (way: Way): Figures['big'] => ({
    quality: mean(way, ({ quality }) => quality),
    usd: pointOf(rows, way).usd * per,
  })
  const [small, big] = [end('small'), end('big')]
  const random = seededRandom(1)
  const samples = Array.from({ length: SAMPLES }, () =>
    rows.map(() => rows[Math.floor(random() * rows.length)] as Row),
  ).map((drawn) => ({ points: pointsOf(drawn), all: pointOf(drawn, 'big') }))
  const points = pointsOf(rows)
  const at = WANTED.map((share) => {
    const wanted = share * big.quality * rows.length
    const ours = costOf(points, wanted) * per
    const savings = samples.map(({ points: drawn, all }) => 1 - costOf(drawn, share * all.quality) / all.usd)
    const costs = {
      ours,
      random: costOf([pointOf(rows, 'small'), pointOf(rows, 'big')], wanted) * per,
      oracle: oracleCost(rows, wanted) * per,
    }
    return [String(share), { ...costs, saving: 1 - ours / big.usd, savingSe: deviation(savings) }] as const
  })
  return {
    n: rows.length,
    small,
    big,
    at: Object.fromEntries(at),
    curve: SWEEP.map((costQuality) => ({
      costQuality,
      quality: mean(costQuality, ({ quality }) => quality),
      usd: pointOf(rows, costQuality).usd * per,
      big: mean(costQuality, ({ isBig }) => Number(isBig)),
      escalated: mean(costQuality, ({ isEscalated }) => Number(isEscalated)),
    })),
  }
}

/** All small, the settings from cheap to good, all big. */
function pointsOf(rows: readonly Row[]): Point[] {
  return WAYS.map((way) => pointOf(rows, way))
}

function pointOf(rows: readonly Row[], way: Way): Point {
  return { quality: sum(rows, way, ({ quality }) => quality), usd: sum(rows, way, ({ nanoUsd }) => nanoUsd) / 1e9 }
}

/** Dollars of the first two neighbouring points between which the quality is reached: a mix of both settings in that share. */
export function costOf(points: readonly Point[], wanted: number): number {
  const [first] = points
  if (first === undefined || first.quality >= wanted) return first?.usd ?? 0
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1] as Point, points[i] as Point]
    if (to.quality < wanted) continue
    return from.usd + ((to.usd - from.usd) * (wanted - from.quality)) / (to.quality - from.quality)
  }
  return points.at(-1)?.usd ?? 0
}

/** The best gain per dollar first, until the quality is reached. */
export function oracleCost(rows: readonly Row[], wanted: number): number {
  let { quality, usd } = pointOf(rows, 'small')
  const steps = rows
    .map((row) => {
      const [small, big] = [row.get('small') as Asked, row.get('big') as Asked]
      return { gain: big.quality - small.quality, usd: (big.nanoUsd - small.nanoUsd) / 1e9 }
    })
    .filter(({ gain }) => gain > 0)
    .toSorted((a, b) => b.gain * a.usd - a.gain * b.usd)
  for (const step of steps) {
    if (quality >= wanted) break
    const share = Math.min(1, (wanted - quality) / step.gain)
    quality += share * step.gain
    usd += share * step.usd
  }
  return usd
}

function sum(rows: readonly Row[], way: Way, of: (asked: Asked) => number): number {
  return rows.reduce((total, row) => total + of(row.get(way) as Asked), 0)
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1))
}
