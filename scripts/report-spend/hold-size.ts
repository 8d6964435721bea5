import type { NanoUsd } from '../../src/shared/money.ts'
import type { RecordedCall } from './sessions.ts'

/** Below this an answer is of no use to anybody (`minOutputTokens`). */
export const MIN_OUTPUT_TOKENS = 64

/** How the holds of a task's calls are sized. */
export interface HoldRule {
  /** What a call may cost at most with so many output tokens. */
  readonly holdAt: (call: RecordedCall, outputCap: number) => NanoUsd
  /** Output cap that the caller sends. */
  readonly cap: number
  /** Whether a smaller cap is sent where the caller's does not fit, as for a caller who sends none; else the call is refused. */
  readonly lowersCap: boolean
}
export interface Sized {
  readonly amount: NanoUsd
  readonly cap: number
}

/** The hold of a call that has `remaining` left: its worst case with the largest cap that fits. Undefined = it does not fit. */
export function sizeHold(call: RecordedCall, rule: HoldRule, remaining: number): Sized | undefined {
  const whole = rule.holdAt(call, rule.cap)
  if (whole <= remaining) return { amount: whole, cap: rule.cap }
  if (!rule.lowersCap || rule.holdAt(call, MIN_OUTPUT_TOKENS) > remaining) return undefined
  let fits = MIN_OUTPUT_TOKENS
  let tooMuch = rule.cap
  while (tooMuch - fits > 1) {
    const middle = Math.floor((fits + tooMuch) / 2)
    if (rule.holdAt(call, middle) <= remaining) fits = middle
    else tooMuch = middle
  }
  return { amount: rule.holdAt(call, fits), cap: fits }
}
