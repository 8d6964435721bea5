/** What can be wrong with an answer by itself. The names are those of the setting, of the header and of the metric's label. */
export const CHECKS = ['empty', 'json', 'tools', 'refusal', 'truncation', 'repetition', 'logprob'] as const
export type Check = (typeof CHECKS)[number]
