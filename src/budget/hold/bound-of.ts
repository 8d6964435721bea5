import type { Target } from '../../gateway/steps.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { KnownPrompts } from './known-prompts.ts'
import type { HoldDecision } from './hold.ts'
import type { PlanInput } from './plan-hold.ts'

export interface BoundInput extends Omit<PlanInput, 'target' | 'outputLimit'> {
  readonly target: Target
}
/** Tells a task's prompts what the target has counted of one. */
export type NoteInput = (prompts: KnownPrompts, request: ChatRequest, target: Target, tokens: number) => void
/** Sizes the hold of an attempt: its worst case, and the output cap that makes it one. */
export type BoundOf = (input: BoundInput) => HoldDecision | Promise<HoldDecision>
