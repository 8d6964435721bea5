/** Least time between two writes while reservations keep coming, ms: each write dirties a page, however few reservations it has. */
const SPACING_MS = 1
/** The same under load: the more come in together, the less each costs, all the way from one socket to the other. */
const BUSY_SPACING_MS = 2
/** Reservations in one write that make the next one wait for longer: 4,000 a second. */
const BUSY = 4
/** How long what nobody waits for may stay in memory, ms: losing it in a crash only leaves a hold that counts as spent. */
const LAZY_MS = 20

/** Writes what is due and says for how many it was. */
export type Flush = () => number

/**
 * When the ledger writes: what is waited for goes at the end of this turn of the event loop, or a moment after the last write, so that
 * a quiet service waits for nothing and a busy one writes many reservations at once. `now` gives monotonic milliseconds.
 */
export function commitPace(now: () => number): (flush: Flush, isWaitedFor: boolean) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  let spacingMs = SPACING_MS
  const run = (flush: Flush): void => {
    lastMs = now()
    spacingMs = flush() >= BUSY ? BUSY_SPACING_MS : SPACING_MS
  }
  return (flush, isWaitedFor) => {
    if (!isWaitedFor) setTimeout(flush, LAZY_MS).unref()
    else if (now() - lastMs >= spacingMs) setImmediate(run, flush)
    else setTimeout(run, spacingMs, flush)
  }
}
