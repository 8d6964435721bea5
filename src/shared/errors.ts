/**
 * Every error a caller can get, in one table. Parts throw `new SwitchyardError(code, …)`; the HTTP layer alone turns it
 * into a response. `message` is for the caller; `detail` and `cause` are for the log and never leave the process.
 */

/** OpenAI's error types (wire value of `error.type`). */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'budget_exceeded'
  | 'conflict_error'
  | 'server_error'

/**
 * Code -> [HTTP status, type, may a retry help?]. Where a retry cannot help, the answer carries `x-should-retry: false`,
 * so that SDKs do not send (and pay) again.
 */
export const ERRORS = {
  // The request itself.
  invalid_json: [400, 'invalid_request_error', false],
  invalid_type: [400, 'invalid_request_error', false],
  invalid_value: [400, 'invalid_request_error', false],
  missing_required_parameter: [400, 'invalid_request_error', false],
  unknown_parameter: [400, 'invalid_request_error', false],
  unsupported_parameter: [400, 'invalid_request_error', false],
  unsupported_value: [400, 'invalid_request_error', false],
  integer_below_min_value: [400, 'invalid_request_error', false],
  integer_above_max_value: [400, 'invalid_request_error', false],
  decimal_below_min_value: [400, 'invalid_request_error', false],
  decimal_above_max_value: [400, 'invalid_request_error', false],
  string_above_max_length: [400, 'invalid_request_error', false],
  empty_string: [400, 'invalid_request_error', false],
  empty_array: [400, 'invalid_request_error', false],
  array_above_max_length: [400, 'invalid_request_error', false],
  object_above_max_properties: [400, 'invalid_request_error', false],
  invalid_function_parameters: [400, 'invalid_request_error', false],
  invalid_json_schema: [400, 'invalid_request_error', false],
  invalid_image_url: [400, 'invalid_request_error', false],
  invalid_image_format: [400, 'invalid_request_error', false],
  context_length_exceeded: [400, 'invalid_request_error', false],
  content_policy_violation: [400, 'invalid_request_error', false],
  upstream_refused_request: [400, 'invalid_request_error', false],
  invalid_header: [400, 'invalid_request_error', false],
  bad_request: [400, 'invalid_request_error', false],
  invalid_host: [403, 'permission_error', false],
  request_too_large: [413, 'invalid_request_error', false],
  headers_too_large: [431, 'invalid_request_error', false],
  unsupported_media_type: [415, 'invalid_request_error', false],
  request_timeout: [408, 'invalid_request_error', false],
  not_found: [404, 'invalid_request_error', false],
  method_not_allowed: [405, 'invalid_request_error', false],
  model_not_found: [404, 'invalid_request_error', false],
  idempotency_conflict: [409, 'conflict_error', false],
  key_exists: [409, 'conflict_error', false],
  key_not_found: [404, 'invalid_request_error', false],
  // Who asks.
  invalid_api_key: [401, 'authentication_error', false],
  model_not_allowed: [403, 'permission_error', false],
  origin_not_allowed: [403, 'permission_error', false],
  admin_only: [403, 'permission_error', false],
  // What it holds.
  sensitive_data: [403, 'permission_error', false],
  no_local_model: [403, 'permission_error', false],
  // Limits. The first four are money and limits that are really gone.
  task_budget_exhausted: [402, 'budget_exceeded', false],
  request_exceeds_remaining: [402, 'budget_exceeded', false],
  task_limit_reached: [402, 'budget_exceeded', false],
  model_unpriced: [400, 'invalid_request_error', false],
  task_ended: [410, 'invalid_request_error', false],
  task_budget_held: [429, 'rate_limit_error', true],
  previous_response_not_found: [404, 'invalid_request_error', false],
  responses_unavailable: [503, 'server_error', true],
  feedback_unavailable: [503, 'server_error', true],
  task_not_found: [404, 'invalid_request_error', false],
  task_conflict: [409, 'conflict_error', false],
  ledger_unavailable: [503, 'server_error', true],
  task_concurrency: [429, 'rate_limit_error', true],
  rate_limit_exceeded: [429, 'rate_limit_error', true],
  // Upstreams.
  upstream_rate_limited: [429, 'rate_limit_error', true],
  upstream_unreachable: [502, 'server_error', true],
  upstream_error: [502, 'server_error', true],
  upstream_auth: [502, 'server_error', false],
  upstream_model_missing: [502, 'server_error', false],
  upstream_redirect: [502, 'server_error', false],
  upstream_garbage: [502, 'server_error', true],
  upstream_empty: [502, 'server_error', true],
  upstream_stream_truncated: [502, 'server_error', true],
  upstream_event_too_large: [502, 'server_error', true],
  upstream_tls: [502, 'server_error', false],
  upstream_payment_required: [503, 'server_error', false],
  upstream_unavailable: [503, 'server_error', true],
  upstream_overloaded: [503, 'server_error', true],
  upstream_timeout: [504, 'server_error', true],
  upstream_idle_timeout: [504, 'server_error', true],
  // RFC 9111 section 5.2.1.7: asked for from memory alone.
  not_cached: [504, 'invalid_request_error', false],
  // Ourselves.
  overloaded: [503, 'server_error', true],
  draining: [503, 'server_error', true],
  internal_error: [500, 'server_error', true],
} as const

export type ErrorCode = keyof typeof ERRORS

export interface ErrorOptions {
  /** Path of the field at fault, OpenAI style: `messages[0].content`. */
  readonly param?: string
  /** Milliseconds after which trying again makes sense; becomes `retry-after` and `retry-after-ms`. */
  readonly retryAfterMs?: number
  /** For the log only: upstream status, library message, never a key. */
  readonly detail?: string
  readonly cause?: unknown
}

export class SwitchyardError extends Error {
  readonly code: ErrorCode
  readonly param: string | undefined
  readonly retryAfterMs: number | undefined
  readonly detail: string | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SwitchyardError'
    this.code = code
    this.param = options.param
    this.retryAfterMs = options.retryAfterMs
    this.detail = options.detail
  }

  get status(): number {
    return ERRORS[this.code][0]
  }

  get type(): ErrorType {
    return ERRORS[this.code][1]
  }

  get retry(): boolean {
    return ERRORS[this.code][2]
  }
}

/** Anything thrown to a SwitchyardError; what is not one already is a defect of ours and becomes `internal_error`. */
export function toSwitchyardError(thrown: unknown): SwitchyardError {
  if (thrown instanceof SwitchyardError) return thrown
  return new SwitchyardError(
    'internal_error',
    'The gateway failed on this request; its log has the cause under this request id.',
    {
      detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      cause: thrown,
    },
  )
}
