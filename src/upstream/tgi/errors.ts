/** What TGI's errors mean: `{"error": text, "error_type": kind}` (router 3.3, `InferError`), as a refusal or inside of a stream. */
import type { ErrorCode, SwitchyardError } from '../../shared/errors.ts'
import { failure, fromErrorBody, fromStatus, maskDetail } from '../openai/errors.ts'

/** Sentences of TGI's validation about a prompt or cap that is too long. */
const TOO_LONG = /must have less than|tokens \+ `?max_new_tokens`? must be|must be <= \d+\. Given|input_length/i

/** The error of a refusal. */
export function fromTgiRefusal(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): SwitchyardError {
  const found = typed(parsed(body))
  const code = found === undefined ? undefined : codeOf(found, status === 429)
  // What only the status says, and retry times in headers, mean the same as everywhere.
  if (code === undefined || code === 'upstream_rate_limited') return fromStatus(status, headers, body)
  return toFailure(code, `upstream status ${status}: ${maskDetail(body)}`)
}

/** The error of a frame or whole body that came with status 200; undefined where it is none. */
export function tgiErrorIn(value: unknown): SwitchyardError | undefined {
  const found = typed(value)
  if (found !== undefined) {
    const code = codeOf(found, false) ?? 'upstream_error'
    return toFailure(code, `upstream error in a 200: ${maskDetail(JSON.stringify(value))}`)
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { error } = value as { error?: unknown }
  return error === undefined || error === null ? undefined : fromErrorBody(error)
}

function toFailure(code: ErrorCode, detail: string): SwitchyardError {
  return failure(code, { detail, ...(code === 'context_length_exceeded' ? { param: 'messages' } : {}) })
}

interface TypedError {
  readonly kind: string
  readonly text: string
}

function codeOf({ kind, text }: TypedError, isRefusal: boolean): ErrorCode | undefined {
  switch (kind) {
    case 'overloaded':
      // In front of an answer it is a limit like any other; in the middle of one the server gives up.
      return isRefusal ? 'upstream_rate_limited' : 'upstream_overloaded'
    case 'validation':
      return TOO_LONG.test(text) ? 'context_length_exceeded' : 'upstream_refused_request'
    case 'template_error':
    case 'missing_template_variable':
      return 'upstream_refused_request'
    // The model wrote a call that is none.
    case 'tool_error':
    case 'generation':
    case 'Incomplete generation':
    case 'incomplete_generation':
    case 'incomplete_generation_stream':
    case 'stream_serialization_error':
      return 'upstream_error'
    case 'unhealthy':
    case 'healthcheck':
      return 'upstream_overloaded'
    default:
      return undefined
  }
}

function typed(value: unknown): TypedError | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { error, error_type: kind } = value as { error?: unknown; error_type?: unknown }
  return typeof error === 'string' && typeof kind === 'string' ? { kind, text: error } : undefined
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
