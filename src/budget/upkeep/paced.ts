import { setTimeout as delay } from 'node:timers/promises'

export interface Pace {
  /** Rest after each step, ms. */
  readonly restMs: number
  /** True = the rest of the steps is left for another time. */
  readonly isOver: () => boolean
  /** Runs after this many steps and is waited for: the ledger's own commits move the log into the file, off the requests' way. */
  readonly every: number
  readonly breathe: () => Promise<void>
}

/** Runs steps with rests between them, so that no request waits for longer than one step. Resolves with whether all were run. */
export async function runPaced(steps: Iterator<boolean, void>, pace: Pace): Promise<boolean> {
  for (let count = 1; ; count++) {
    if (pace.isOver()) return false
    if (steps.next().done === true) return true
    await delay(pace.restMs)
    if (count % pace.every === 0) await pace.breathe()
  }
}
