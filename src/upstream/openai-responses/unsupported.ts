import { SwitchyardError } from '../../shared/errors.ts'

/** What the Responses API cannot be told: `why` is a whole sentence about the fix. */
export function unsupported(param: string, why?: string): SwitchyardError {
  return new SwitchyardError(
    'unsupported_parameter',
    `The model that this request went to is asked through the Responses API, which does not support '${param}'.${why === undefined ? '' : ` ${why}`}`,
    { param },
  )
}
