/**
 * How much more the big model must gain for a task that runs short of money: 1 = as always, 2 = twice as much, Infinity = it cannot.
 *
 * How far a task has come is not known. Of something that has gone on for a while the best guess is that as much again is to come, so
 * at its present pace a task takes what it has spent. Where less than that is left, the bar rises by the part that is missing.
 * Pure; falls in `remaining` and rises in `spent` and `bigPrice`.
 * @param spent,remaining Of the task, any unit of money. `remaining` undefined = no limit.
 * @param bigPrice Expected price of this request at the big model; undefined = unpriced, which a task with a budget is refused anyway.
 */
export function budgetBar(spent: number, remaining: number | undefined, bigPrice: number | undefined): number {
  if (remaining === undefined) return 1
  if (remaining <= 0 || (bigPrice ?? 0) > remaining) return Number.POSITIVE_INFINITY
  return Math.max(1, spent / remaining)
}
