/** Gains below this, and as near to 1, are bent. */
const BEND = 0.05

/**
 * A gain as a score in 0..1: itself in between, bent at the ends so that no two gains become the same score. A share of big calls
 * is held by order, and most requests of easy traffic gain nothing.
 */
export function scoreOf(gain: number): number {
  if (gain < BEND) return BEND * Math.exp(gain / BEND - 1)
  if (gain > 1 - BEND) return 1 - BEND * Math.exp((1 - gain) / BEND - 1)
  return gain
}
