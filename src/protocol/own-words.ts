import { SwitchyardError } from '../shared/errors.ts'
import type { Dialect } from './dialect.ts'

/**
 * An error of a step after decoding, which calls fields by their names in chat completions, with the name that its caller wrote.
 * Paths into messages stay: they count the messages of the internal request.
 */
export function inOwnWords(error: SwitchyardError, { fieldNames }: Pick<Dialect, 'fieldNames'>): SwitchyardError {
  const { code, message, param, retryAfterMs, detail, cause } = error
  const own = param === undefined ? undefined : fieldNames?.get(param)
  if (own === undefined) return error
  return new SwitchyardError(code, message.replaceAll(`'${param}'`, `'${own}'`), {
    param: own,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause }),
  })
}
