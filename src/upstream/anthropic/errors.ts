/** What Anthropic's refusals mean to our caller (API guide, "Errors"). Its own words go to the log alone. */
import { SwitchyardError, type ErrorCode, type ErrorOptions } from '../../shared/errors.ts'
import { failure, fromStatus, maskDetail } from '../openai/errors.ts'

/** Words of an `invalid_request_error` that means the length: of the prompt alone, and with the cap. */
const CONTEXT_WORDS = /prompt is too long|exceeds? (?:the )?context|context window|input length and `?max_tokens/i
const BILLING_WORDS = /credit balance|billing|spend(?:ing)? limit/i

/** Status that an error type stands for; in an open stream the type is all there is. */
const STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** The error that a status and body stand for. */
export function fromRefusal(status: number, headers: Readonly<Record<string, unknown>>, body: string): SwitchyardError {
  const detail = `upstream status ${status}: ${maskDetail(body)}`
  const special = specialCode(status, body)
  return special === undefined ? fromStatus(status, headers, body) : made(special, { detail })
}

/** An error inside an answer with status 200: an `error` event, or the whole body. */
export function fromError(error: unknown): SwitchyardError {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
  const text = JSON.stringify(error) ?? ''
  const status = STATUS[String(fields['type'])] ?? 500
  const detail = `upstream error in a 200: ${maskDetail(text)}`
  const special = specialCode(status, text)
  if (special !== undefined) return made(special, { detail })
  const { code } = fromStatus(status, {}, '')
  return failure(code, { detail })
}

function specialCode(status: number, body: string): ErrorCode | undefined {
  if (status === 413) return 'request_too_large'
  if (status !== 400 && status !== 402) return undefined
  if (status === 402 || BILLING_WORDS.test(body)) return 'upstream_payment_required'
  return CONTEXT_WORDS.test(body) ? 'context_length_exceeded' : undefined
}

function made(code: ErrorCode, options: ErrorOptions): SwitchyardError {
  if (code === 'request_too_large')
    return new SwitchyardError(
      code,
      'The request is larger than the model server takes. Send fewer or smaller pictures and files.',
      options,
    )
  return failure(code, code === 'context_length_exceeded' ? { ...options, param: 'messages' } : options)
}
