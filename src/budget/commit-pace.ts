/** Least time between two commits while reservations keep coming, ms: each commit writes a handful of pages, however few rows it has. */
const SPACING_MS = 1
/** How long what nobody waits for may stay in memory, ms: losing it in a crash only leaves a hold that counts as spent. */
const LAZY_MS = 20

/**
 * When a commit happens: what is waited for goes at the end of this turn of the event loop, or a millisecond after the last commit,
 * so that a quiet service waits for nothing and a busy one writes many reservations at once. `now` gives monotonic milliseconds.
 */
export function commitPace(now: () => number): (flush: () => void, isWaitedFor: boolean) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  const run = (flush: () => void): void => {
    lastMs = now()
    flush()
  }
  return (flush, isWaitedFor) => {
    if (!isWaitedFor) setTimeout(run, LAZY_MS, flush).unref()
    else if (now() - lastMs >= SPACING_MS) setImmediate(run, flush)
    else setTimeout(run, SPACING_MS, flush)
  }
}
