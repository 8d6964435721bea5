/** How well a score ranks requests by what the big model would add. Names and definitions as in RouteLLM (arXiv 2406.18665). */

/** Area under the ROC curve of `scores` for `positive` against the rest, ties counted half; NaN where one side is empty. */
export function areaUnderRoc(scores: ArrayLike<number>, positive: readonly boolean[]): number {
  const order = ascending(scores)
  let positives = 0
  let rankSum = 0
  for (let at = 0; at < order.length;) {
    let end = at
    while (end < order.length && scores[order[end] as number] === scores[order[at] as number]) end++
    // Ranks are 1-based; a tie shares the middle one.
    const rank = (at + 1 + end) / 2
    for (; at < end; at++) {
      if (positive[order[at] as number] !== true) continue
      positives++
      rankSum += rank
    }
  }
  const negatives = order.length - positives
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

export interface GapCurve {
  /** Mean share of the quality gap recovered over all shares of big calls; 0.5 is what chance gets. */
  readonly apgr: number
  /** Smallest share of big calls, 0..1, that recovers half of the gap. */
  readonly cpt50: number
  readonly cpt80: number
}

/** Exact form: every request is a threshold, highest score first, ties averaged. `gains` are quality(big) - quality(small). */
export function gapCurve(scores: ArrayLike<number>, gains: readonly number[]): GapCurve {
  const order = ascending(scores).reverse()
  const n = order.length
  const gap = gains.reduce((sum, gain) => sum + gain, 0)
  let recovered = 0
  let area = 0
  let cpt50 = Number.NaN
  let cpt80 = Number.NaN
  for (let at = 0; at < n;) {
    let end = at
    let tied = 0
    while (end < n && scores[order[end] as number] === scores[order[at] as number]) {
      tied += gains[order[end] as number] as number
      end++
    }
    const step = tied / (end - at)
    for (; at < end; at++) {
      const before = recovered / gap
      recovered += step
      const after = recovered / gap
      area += (before + after) / 2 / n
      if (Number.isNaN(cpt50) && after >= 0.5) cpt50 = (at + (0.5 - before) / (after - before)) / n
      if (Number.isNaN(cpt80) && after >= 0.8) cpt80 = (at + (0.8 - before) / (after - before)) / n
    }
  }
  return { apgr: area, cpt50, cpt80 }
}

/** Throws RangeError where a score is no number: it has no rank. */
function ascending(scores: ArrayLike<number>): number[] {
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new RangeError(`Score ${i} is no number.`)
  }
  return Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[a] as number) - (scores[b] as number) || a - b,
  )
}
