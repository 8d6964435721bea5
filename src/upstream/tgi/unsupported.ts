import { SwitchyardError } from '../../shared/errors.ts'

/** What text-generation-inference cannot be told: `why` is a whole sentence about the fix. */
export function unsupported(param: string, why?: string): SwitchyardError {
  return new SwitchyardError(
    'unsupported_parameter',
    `The TGI server that this request went to does not support '${param}'.${why === undefined ? '' : ` ${why}`}`,
    { param },
  )
}
