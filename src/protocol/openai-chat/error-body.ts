import type { SwitchyardError } from '../../shared/errors.ts'

/** OpenAI's error envelope as JSON text. `param` is null where no field is at fault; `detail` and `cause` stay inside. */
export function errorBody(error: SwitchyardError): string {
  return JSON.stringify({
    error: { message: error.message, type: error.type, param: error.param ?? null, code: error.code },
  })
}
