import type { TaskOutcome } from './task-record.ts'

export interface OutcomeFacts {
  /** The task's state as it is reported. */
  readonly state: string
  /** What `complete` said; undefined = nobody has said anything. */
  readonly claimed: 'success' | 'failure' | 'unknown' | undefined
  /** What a check said; undefined = there was none. */
  readonly hasPassed: boolean | undefined
  /** It was handed to a human. */
  readonly isEscalated: boolean
}

/** States that are outcomes by themselves: somebody or something ended the task before it was done. */
const CUT_OFF = ['stopped', 'cancelled', 'denied', 'expired'] as const
const DONE: readonly string[] = ['completed', 'completed_unverified', 'failed']

/** Tells how a task ended. A state that is no end is `open`, also one that is not known here. */
export function taskOutcome({ state, claimed, hasPassed, isEscalated }: OutcomeFacts): TaskOutcome {
  const cutOff = CUT_OFF.find((each) => each === state)
  if (cutOff !== undefined) return cutOff
  if (!DONE.includes(state)) return 'open'
  if (isEscalated) return hasPassed === undefined ? 'escalated' : hasPassed ? 'escalated_right' : 'escalated_wrong'
  if (claimed === 'failure') return 'failed'
  // The task did not say that it failed; the check did.
  if (hasPassed === false) return 'silent_failure'
  if (state === 'failed') return 'failed'
  return state === 'completed' ? 'success' : 'unverified'
}
