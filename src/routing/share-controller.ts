/**
 * Holds the share of requests that go to the big model. A fixed threshold cannot: the scores of two kinds of traffic differ
 * so much that one threshold sends 60 % of the first and 1 % of the second up. So a score is first turned into its rank among
 * the last ones, and the threshold on that rank is moved after every decision by what the decision missed: the update of
 * adaptive conformal inference (Gibbs and Candès, arXiv 2106.00170).
 *
 * Law, for any scores in any order: over every run of T consecutive decisions the share misses the target by at most
 * (1 + STEP) / (STEP x T), because the threshold moves within an interval of length 1 + STEP.
 */
export class ShareController {
  readonly #target: number
  /** The last scores in the order they came, and the same in rising order. */
  readonly #recent = new Float64Array(WINDOW)
  readonly #sorted = new Float64Array(WINDOW)
  #seen = 0
  #threshold: number

  /** `target` = share of big calls, 0..1; `usual` = scores that count as seen before the first. */
  constructor(target: number, usual: readonly number[] = []) {
    if (!(target >= 0 && target <= 1)) throw new RangeError(`A share is between 0 and 1, not ${target}.`)
    this.#target = target
    this.#threshold = 1 - target
    for (const score of usual) this.#remember(score)
  }

  /** True = big. `chance` in [0, 1) parts equal scores, so that a scorer that always says the same still yields the share. */
  isBig(score: number, chance: number): boolean {
    const rank = this.#rankOf(score, chance)
    this.#remember(score)
    // 0 and 1 are promises about every request, not about an average.
    const isBig = this.#target === 1 || (this.#target > 0 && rank >= this.#threshold)
    this.#threshold += STEP * ((isBig ? 1 : 0) - this.#target)
    return isBig
  }

  /** The score that is at the threshold now; undefined = none was seen yet. */
  get thresholdScore(): number | undefined {
    const size = Math.min(this.#seen, WINDOW)
    const at = Math.floor(this.#threshold * size)
    return size === 0 ? undefined : this.#sorted[Math.min(size - 1, Math.max(0, at))]
  }

  /** How far a score's rank is from the threshold, 0..1; changes nothing. */
  distance(score: number): number {
    return Math.abs(this.#rankOf(score, 0.5) - this.#threshold)
  }

  /** Share of the recent scores below this one, 0..1; equal ones count by `chance`. Where nothing is known a first score has rank `chance`. */
  #rankOf(score: number, chance: number): number {
    const size = Math.min(this.#seen, WINDOW)
    const below = countBelow(this.#sorted, size, score)
    let equal = 0
    while (below + equal < size && this.#sorted[below + equal] === score) equal++
    return (below + chance * (equal + 1)) / (size + 1)
  }

  #remember(score: number): void {
    const at = this.#seen % WINDOW
    let size = Math.min(this.#seen, WINDOW)
    if (size === WINDOW) {
      const gone = countBelow(this.#sorted, size, this.#recent[at] as number)
      this.#sorted.copyWithin(gone, gone + 1, size)
      size -= 1
    }
    const place = countBelow(this.#sorted, size, score)
    this.#sorted.copyWithin(place + 1, place, size)
    this.#sorted[place] = score
    this.#recent[at] = score
    this.#seen++
  }
}

/** How many of the first `size` values, which are in rising order, are below `score`. */
function countBelow(sorted: Float64Array, size: number, score: number): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < score) low = middle + 1
    else high = middle
  }
  return low
}

/** Scores that a rank is taken among: long enough for a rank within 2–3 points, short enough to follow a change of traffic. */
const WINDOW = 512

/** How far one decision moves the threshold. Larger holds the share sooner, smaller follows the scores more closely. */
const STEP = 0.05

/** Largest miss of the share over `decisions` consecutive decisions, whatever the scores. */
export function shareErrorBound(decisions: number): number {
  return (1 + STEP) / (STEP * decisions)
}
