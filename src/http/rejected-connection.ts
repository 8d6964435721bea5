import type { Socket } from 'node:net'
import { errorBody } from '../protocol/openai-chat/error-body.ts'
import { SwitchyardError, type ErrorCode } from '../shared/errors.ts'

const ROWS: Readonly<Record<string, readonly [code: ErrorCode, status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    '431 Request Header Fields Too Large',
    'The headers of a request may have 16 KiB together.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', '408 Request Timeout', 'The request did not arrive in time.'],
}
const DEFAULT_ROW = ['bad_request', '400 Bad Request', 'This is not a valid HTTP/1.1 request.'] as const

/** Answers what Node's HTTP parser refused (broken framing, smuggling attempts, TLS on a plain port), and closes the connection. */
export function answerRejectedConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, status, message] = ROWS[error.code ?? ''] ?? DEFAULT_ROW
  const body = errorBody(new SwitchyardError(code, message))
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-should-retry: false\r\nconnection: close\r\n\r\n${body}`,
  )
}
