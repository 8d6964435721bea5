import type { SwitchyardError } from '../../shared/errors.ts'

/** Anthropic's error types (API reference, "Errors"). */
type MessagesErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'overloaded_error'
  | 'api_error'

/** The type of an error by its HTTP status, which stays the gateway's own; a budget that is gone (402) is `billing_error`. */
export function errorTypeOf(status: number): MessagesErrorType {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 402:
      return 'billing_error'
    case 403:
      return 'permission_error'
    case 404:
    case 410:
      return 'not_found_error'
    case 409:
      return 'conflict_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 503:
      return 'overloaded_error'
    case 504:
      return 'timeout_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error'
  }
}

/** What Anthropic says where it cannot keep a conversation: its SDK's tool runner then sends the whole one with each turn. */
const NO_THREAD = { error_code: 'thread_unsupported_request', param: 'thread', unsupported: ['thread'] }

/**
 * Anthropic's error envelope as JSON text. The gateway's code and the field at fault stand in `details`, where Anthropic's own clients
 * look for a code (`error.errorCode` in the TypeScript SDK). `detail` and `cause` stay inside.
 */
export function errorBody(error: SwitchyardError, requestId: string): string {
  return JSON.stringify({
    type: 'error',
    error: {
      type: errorTypeOf(error.status),
      message: error.message,
      details: error.param === 'thread' ? NO_THREAD : { error_code: error.code, param: error.param ?? null },
    },
    request_id: requestId,
  })
}
