import { SwitchyardError } from '../../shared/errors.ts'

/** How soon a call may come again that found its task at its concurrency, ms. */
const RETRY_MS = 1000

/** What a call is told whose task has as many under way as it may have. */
export function taskConcurrency(limit: number): SwitchyardError {
  const sentence = `The task has ${limit} requests under way, which is its limit.`
  return new SwitchyardError('task_concurrency', sentence, { retryAfterMs: RETRY_MS, param: 'concurrency' })
}
