/** What callers say afterwards about answers they got. The HTTP layer reads and shows it; what keeps it stands behind `FeedbackService`. */

/** One answer, or every answer of a task. */
export type FeedbackSubject =
  { readonly kind: 'request'; readonly id: string } | { readonly kind: 'task'; readonly id: string }

export interface Feedback {
  readonly subject: FeedbackSubject
  /** 0 = useless, 1 = as good as it can be. */
  readonly quality: number
  /** As it was given; undefined = nothing was said. */
  readonly success: boolean | undefined
  /** Whether a corrected answer came with it. The text itself is not kept. */
  readonly isCorrected: boolean
}

export interface KeptFeedback extends Feedback {
  readonly id: string
  /** 1 at first, one more with every change; the same content again changes nothing. */
  readonly revision: number
  readonly createdMs: number
  readonly updatedMs: number
  /** How many answers it speaks of at the moment. */
  readonly requests: number
}

export interface FeedbackService {
  /** Undefined where this tenant has no such request or task. Throws `feedback_unavailable`. */
  give(caller: { readonly tenant: string; readonly key: string }, feedback: Feedback): KeptFeedback | undefined
}
