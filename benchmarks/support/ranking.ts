/** Chance that a positive scores above a negative, ties counting half. */
export function auroc(positives: readonly number[], negatives: readonly number[]): number {
  let above = 0
  for (const positive of positives) {
    for (const negative of negatives) above += positive > negative ? 1 : positive === negative ? 0.5 : 0
  }
  return above / (positives.length * negatives.length)
}

/** Share of the positives above the lowest threshold that lets at most this share of the negatives through. */
export function recallAtFalsePositives(
  positives: readonly number[],
  negatives: readonly number[],
  share: number,
): number {
  const allowed = Math.floor(negatives.length * share)
  const threshold = negatives.toSorted((a, b) => b - a)[allowed] ?? -1
  return positives.filter((score) => score > threshold).length / positives.length
}
