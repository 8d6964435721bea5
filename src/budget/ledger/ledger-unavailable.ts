import { SwitchyardError } from '../../shared/errors.ts'

/** How soon a call may come again that found no ledger, ms. */
const RETRY_MS = 1000

/** The books cannot be read or written at the moment: nothing is sent without them. */
export function ledgerUnavailable(reason: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError(
    'ledger_unavailable',
    'The ledger cannot be written at the moment, and nothing is sent without it.',
    { retryAfterMs: RETRY_MS, detail: reason, ...(cause === undefined ? {} : { cause }) },
  )
}
