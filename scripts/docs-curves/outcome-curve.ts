/** Quality and dollars of recorded answers when the highest scores go to the big model. */
export interface Outcome {
  readonly small: number
  readonly big: number
  /** Dollars a call. */
  readonly cost?: { readonly small: number; readonly big: number } | undefined
}

export interface OutcomePoint {
  readonly share: number
  /** Mean a call. */
  readonly quality: number
  readonly usd: number
}

const STEPS = 50

/** Points at even shares of big calls, 0 to 1. Equal scores go up together and count by their mean, as if each went first as often as any other. */
export function outcomeCurve(rows: readonly Outcome[], scores: readonly number[]): readonly OutcomePoint[] {
  const order = [...rows.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
  let quality = rows.reduce((sum, { small }) => sum + small, 0)
  let usd = rows.reduce((sum, { cost }) => sum + (cost?.small ?? 0), 0)
  const exact: OutcomePoint[] = [{ share: 0, quality: quality / rows.length, usd: usd / rows.length }]
  for (let at = 0; at < order.length;) {
    const score = scores[order[at] as number]
    for (; at < order.length && scores[order[at] as number] === score; at++) {
      const { small, big, cost } = rows[order[at] as number] as Outcome
      quality += big - small
      usd += (cost?.big ?? 0) - (cost?.small ?? 0)
    }
    exact.push({ share: at / rows.length, quality: quality / rows.length, usd: usd / rows.length })
  }
  let next = 0
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const share = step / STEPS
    while (next < exact.length - 1 && (exact[next] as OutcomePoint).share < share - 1e-12) next++
    return between(exact[Math.max(0, next - 1)] as OutcomePoint, exact[next] as OutcomePoint, share)
  })
}

function between(a: OutcomePoint, b: OutcomePoint, share: number): OutcomePoint {
  const part = b.share === a.share ? 1 : (share - a.share) / (b.share - a.share)
  return { share, quality: a.quality + part * (b.quality - a.quality), usd: a.usd + part * (b.usd - a.usd) }
}
