/** What Google's errors mean to our caller: bodies of `google.rpc.Status`, alone, in a list, or inside an answer with status 200. */
import type { ErrorCode, SwitchyardError } from '../../shared/errors.ts'
import { failure, fromStatus, maskDetail } from '../openai/errors.ts'

/** Longest retry time that is passed on, ms: a day. */
const MAX_RETRY_AFTER_MS = 86_400_000
const CONTEXT_WORDS =
  /token count|maximum number of tokens|exceeds the (?:maximum|limit).{0,60}token|context (?:length|window)/i
/** Google words for a key or a project that may not do this; a caller cannot mend it. */
const OPERATORS_FAULT = /API_KEY|API key|PERMISSION_DENIED|FAILED_PRECONDITION|BILLING/

interface Status {
  readonly code: number
  readonly status: string
  readonly message: string
  readonly details: readonly unknown[]
}

/** The error that a refusal stands for. */
export function fromGoogleRefusal(
  httpStatus: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): SwitchyardError {
  const found = statusIn(parsed(body))
  if (found === undefined) return fromStatus(httpStatus, headers, body)
  const error = toError(found, httpStatus, body)
  // A retry time in the headers counts where the body has none.
  if (error === undefined || (error.retryAfterMs === undefined && headers['retry-after'] !== undefined))
    return fromStatus(httpStatus, headers, body)
  return error
}

/** The error inside of a 200, or undefined where the value is none. */
export function errorIn(value: unknown): SwitchyardError | undefined {
  const found = statusIn(value)
  if (found === undefined) return undefined
  return (
    toError(found, found.code, JSON.stringify(value)) ??
    failure('upstream_error', detailOf(found.code, JSON.stringify(value)))
  )
}

function toError(found: Status, httpStatus: number, body: string): SwitchyardError | undefined {
  const code = codeOf(found, body)
  if (code === undefined) return undefined
  const retryAfterMs = retryDelay(found.details)
  return failure(code, {
    ...detailOf(httpStatus, body),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(code === 'context_length_exceeded' ? { param: 'messages' } : {}),
  })
}

function detailOf(status: number, body: string): { readonly detail: string } {
  return { detail: `upstream status ${status}: ${maskDetail(body)}` }
}

/** By the canonical word (google.rpc.Code); undefined = judge by the HTTP status. */
function codeOf({ status, message }: Status, body: string): ErrorCode | undefined {
  switch (status) {
    case 'INVALID_ARGUMENT':
    case 'OUT_OF_RANGE':
      if (/API_KEY_INVALID|API key (?:not valid|expired)/i.test(body)) return 'upstream_auth'
      return CONTEXT_WORDS.test(message) ? 'context_length_exceeded' : 'upstream_refused_request'
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return 'upstream_auth'
    case 'FAILED_PRECONDITION':
      return OPERATORS_FAULT.test(body) ? 'upstream_auth' : 'upstream_refused_request'
    case 'NOT_FOUND':
      return 'upstream_model_missing'
    case 'RESOURCE_EXHAUSTED':
      return 'upstream_rate_limited'
    case 'UNAVAILABLE':
      return 'upstream_overloaded'
    case 'DEADLINE_EXCEEDED':
      return 'upstream_timeout'
    case 'INTERNAL':
    case 'UNKNOWN':
    case 'ABORTED':
    case 'DATA_LOSS':
    case 'CANCELLED':
      return 'upstream_error'
    default:
      return undefined
  }
}

/** `{error: Status}`, or a list with one. */
function statusIn(value: unknown): Status | undefined {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [value]
  if (typeof first !== 'object' || first === null) return undefined
  const { error } = first as { error?: unknown }
  if (typeof error !== 'object' || error === null) return undefined
  const { code, status, message, details } = error as Record<string, unknown>
  return {
    code: typeof code === 'number' ? code : 500,
    status: typeof status === 'string' ? status : '',
    message: typeof message === 'string' ? message : '',
    details: Array.isArray(details) ? (details as readonly unknown[]) : [],
  }
}

/** `google.rpc.RetryInfo`: a duration such as "37s" or "1.5s" (protobuf's JSON form). */
function retryDelay(details: readonly unknown[]): number | undefined {
  for (const each of details) {
    const { retryDelay: delay } = (each ?? {}) as { retryDelay?: unknown }
    const seconds = typeof delay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1] : undefined
    if (seconds !== undefined) return Math.min(Math.ceil(Number(seconds) * 1000), MAX_RETRY_AFTER_MS)
  }
  return undefined
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
