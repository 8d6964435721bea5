import type { Target } from '../gateway/steps.ts'
import type { HoldDecision } from './hold.ts'
import type { PlanInput } from './plan-hold.ts'

export interface BoundInput extends Omit<PlanInput, 'target' | 'outputLimit'> {
  readonly target: Target
}
/** Sizes the hold of an attempt: its worst case, and the output cap that makes it one. */
export type BoundOf = (input: BoundInput) => HoldDecision | Promise<HoldDecision>
