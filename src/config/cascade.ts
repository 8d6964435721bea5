import type { Check } from '../gateway/checks.ts'
import type { CascadeConfig } from './config.ts'
import type { CascadeFile } from './schema.ts'

/** What an answer fails by itself, and a stream by its beginning: none of these costs a call. */
const DEFAULT_CHECKS: readonly Check[] = ['empty', 'json', 'tools', 'refusal', 'repetition']
/** At this, agreement of one second opinion is believed and disagreement is not, on the data of `router-models/acceptance.md`. */
export const DEFAULT_MAX_GAIN = 0.15

/** `routes.NAME.cascade` with its defaults. A threshold that is set switches its check on. */
export function resolveCascade(file: CascadeFile | undefined): CascadeConfig | 'off' {
  if (file === 'off') return 'off'
  const { checks = DEFAULT_CHECKS, verify = 'stream', minLogprob, secondOpinions = [], maxGain } = file ?? {}
  return {
    checks: minLogprob === undefined ? checks : [...new Set<Check>([...checks, 'logprob'])],
    verify,
    minLogprob,
    secondOpinions,
    maxGain: maxGain ?? DEFAULT_MAX_GAIN,
  }
}
