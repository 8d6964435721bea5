import type { FinishReason } from '../../protocol/answer.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import { failure, fromErrorBody, fromStatus } from '../openai/errors.ts'
import { record, type Fields } from '../frame-fields.ts'

/** Status that the code of a failed response stands for (API reference, `ResponseError`); others are the server's own fault. */
const STATUS: Readonly<Record<string, number>> = {
  rate_limit_exceeded: 429,
  insufficient_quota: 402,
  server_error: 500,
  server_overloaded: 503,
  context_length_exceeded: 400,
  invalid_prompt: 400,
  vector_store_timeout: 504,
}

/** How a response ended, from its `status`. */
export function endingOf(response: Fields): FinishReason | SwitchyardError {
  switch (response['status']) {
    case 'completed':
      return 'stop'
    case 'incomplete':
      return record(response['incomplete_details'])['reason'] === 'content_filter' ? 'content_filter' : 'length'
    case 'failed':
      return fromFailure(response['error'])
    default:
      return failure('upstream_garbage', { detail: `a response that ended as ${String(response['status'])}` })
  }
}

/** An error in an open stream or a failed response. */
export function fromFailure(error: unknown): SwitchyardError {
  const { code } = record(error)
  const status = STATUS[String(code)]
  return status === undefined ? fromErrorBody(error) : fromStatus(status, {}, JSON.stringify(error))
}
