import { createHash } from 'node:crypto'
import { DisagreementRate } from '../../src/routing/cascade/disagreement-rate.ts'
import { agree, type Circumstances, type Opinions } from '../../src/routing/cascade/acceptance.ts'
import type { CascadeRow } from './recorded-cascade.ts'

/** Whose recorded answers play which part. */
export interface CascadePair {
  readonly weak: string
  readonly second_opinion: readonly string[]
  readonly strong: string
}

/** One question as the live judge would meet it. */
export interface Case {
  readonly set: string
  /** 0..4, by question. */
  readonly fold: number
  readonly opinions: Opinions
  readonly circumstances: Circumstances
  /** 1 = right. For scoring and training only. */
  readonly weak: number
  readonly strong: number
}

export interface CascadeScore {
  readonly n: number
  readonly weak: number
  readonly strong: number
  readonly accuracy: number
  /** Share of questions that went on to the strong model. */
  readonly escalated: number
  /** Part of the way from the weak to the strong model's accuracy (performance gap recovered, RouteLLM's PGR). */
  readonly gapRecovered: number
}

export const FOLDS = 5

/** Cases in a fixed order that has nothing to do with the outcome; the rate of disagreement is the one that was seen by then. */
export function casesOf(rows: readonly CascadeRow[], pair: CascadePair, opinions: number): readonly Case[] {
  const rates = new Map<string, DisagreementRate>()
  return rows
    .map((row) => ({ row, key: createHash('sha256').update(row.prompt).digest() }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map(({ row, key }) => {
      const result = (model: string): string | undefined => row.m[model]?.a || undefined
      const own = result(pair.weak)
      const others = pair.second_opinion.slice(0, opinions).map(result)
      const rate = rates.get(row.ds) ?? new DisagreementRate()
      rates.set(row.ds, rate)
      const disagreement = rate.value
      rate.note(!agree(own, others[0]))
      return {
        set: row.ds,
        fold: key.readUInt32BE(4) % FOLDS,
        opinions: { own, others },
        circumstances: { answerChars: row.m[pair.weak]?.oc ?? 0, disagreement },
        weak: row.m[pair.weak]?.ok ?? 0,
        strong: row.m[pair.strong]?.ok ?? 0,
      }
    })
}

/** What a rule that says whom to escalate comes to. */
export function scoreOf(cases: readonly Case[], escalates: (one: Case) => boolean): CascadeScore {
  const n = cases.length
  let weak = 0
  let strong = 0
  let right = 0
  let escalated = 0
  for (const one of cases) {
    weak += one.weak
    strong += one.strong
    const isUp = escalates(one)
    escalated += Number(isUp)
    right += isUp ? one.strong : one.weak
  }
  return {
    n,
    weak: weak / n,
    strong: strong / n,
    accuracy: right / n,
    escalated: escalated / n,
    gapRecovered: strong === weak ? 1 : (right - weak) / (strong - weak),
  }
}

/** Standard error of a figure by the bootstrap: the same cases drawn again, deterministic. */
export function bootstrapError(
  cases: readonly Case[],
  figure: (drawn: readonly Case[]) => number,
  times = 200,
): number {
  let state = 0x9e3779b9
  const random = (): number => {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const figures = Array.from({ length: times }, () =>
    figure(Array.from(cases, () => cases[Math.floor(random() * cases.length)] as Case)),
  )
  const mean = figures.reduce((sum, each) => sum + each, 0) / times
  return Math.sqrt(figures.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (times - 1))
}
