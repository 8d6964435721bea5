/**
 * How a question ended: `known` = kept from before; `joined` = the same was asked already; `made`; `late` = not within its deadline;
 * `full` = too many waited; `unavailable` = no worker, or it failed on it.
 */
export const ENCODER_RESULTS = ['known', 'joined', 'made', 'late', 'full', 'unavailable'] as const
export type EncoderResult = (typeof ENCODER_RESULTS)[number]

/** What happens in the encoder, for whoever counts it. */
export interface EncoderReporter {
  asked(result: EncoderResult): void
  /** Texts that went to the worker together. */
  batch(texts: number): void
  /** One text was done; time in the worker. */
  computed(ms: number): void
  restarted(): void
}
