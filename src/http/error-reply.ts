import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dialect } from '../protocol/dialect.ts'
import { openAiChat } from '../protocol/openai-chat/dialect.ts'
import { SwitchyardError } from '../shared/errors.ts'

/** Headers that tell an SDK whether and when to try again (`x-should-retry` overrides its own rules; RFC 9110 `retry-after` in seconds). */
export function retryHeaders(error: SwitchyardError): Record<string, string> {
  const headers: Record<string, string> = {}
  if (!error.retry) headers['x-should-retry'] = 'false'
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs))
  }
  return headers
}

/** The one place where an error becomes a response. Does nothing where the socket is gone or a head was sent already. */
export function sendError(
  response: ServerResponse,
  error: SwitchyardError,
  headers: Readonly<Record<string, string>>,
  dialect: Pick<Dialect, 'errorBody'> = openAiChat,
): void {
  if (response.headersSent || response.destroyed) return
  const body = dialect.errorBody(error, headers['x-request-id'] ?? '')
  response.writeHead(error.status, {
    ...headers,
    ...retryHeaders(error),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
  })
  response.end(body)
}

/** Answers a request that will not be read any further. */
export function refuseRequest(
  request: IncomingMessage,
  response: ServerResponse,
  error: SwitchyardError,
  headers: Readonly<Record<string, string>>,
  dialect: Pick<Dialect, 'errorBody'> = openAiChat,
): void {
  // A body that nobody will read must not be taken for the next request on this connection.
  sendError(response, error, request.complete ? headers : { ...headers, connection: 'close' }, dialect)
}

/** What fastify and its body reader throw, as a row of the error table. */
export function fromFrameworkError(thrown: unknown): SwitchyardError {
  if (thrown instanceof SwitchyardError) return thrown
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge()
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
      return notJson()
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new SwitchyardError(
        'bad_request',
        'The body does not have the length that its head declares, or is empty.',
      )
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new SwitchyardError('not_found', 'The path cannot be decoded.')
    default:
      return unexpected(thrown)
  }
}

function unexpected(thrown: unknown): SwitchyardError {
  const status = thrown instanceof Error && 'statusCode' in thrown ? Number(thrown.statusCode) : 500
  if (status >= 400 && status < 500) {
    return new SwitchyardError('bad_request', 'The request cannot be read.', { detail: String(thrown), cause: thrown })
  }
  return new SwitchyardError(
    'internal_error',
    'The gateway failed on this request; its log has the cause under this request id.',
    {
      detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      cause: thrown,
    },
  )
}

export function notJson(): SwitchyardError {
  return new SwitchyardError(
    'unsupported_media_type',
    'The body must be JSON: send it with "content-type: application/json".',
  )
}

export function draining(): SwitchyardError {
  return new SwitchyardError('draining', 'The service is shutting down. Send the request again.', {
    retryAfterMs: 1000,
  })
}

export function bodyTooLarge(): SwitchyardError {
  return new SwitchyardError(
    'request_too_large',
    'The body is larger than this service accepts (`server.bodyLimitBytes`).',
  )
}
