/**
 * Checks of a request's head that hold for every route and run before a body is read.
 */
import type { IncomingMessage } from 'node:http'
import { SwitchyardError } from '../shared/errors.ts'

/** Headers that steer who pays or what is meant; sent twice they are an attack or a broken proxy, and one of them would win silently. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-type',
  'host',
  'idempotency-key',
  'origin',
  'session-id',
  'session_id',
  'x-api-key',
  'x-claude-code-session-id',
  'x-litellm-trace-id',
  'x-task-budget-usd',
  'x-task-deadline-ms',
  'x-task-id',
  'x-task-max-tool-calls',
  'x-task-type',
])
const MAX_HEADERS = 200

/** Throws for a doubled header, for more than 200 headers and for a compressed body (a decompression bomb is not accepted to be unpacked). */
export function checkHead(request: IncomingMessage): void {
  const raw = request.rawHeaders
  if (raw.length > MAX_HEADERS * 2) {
    throw new SwitchyardError('headers_too_large', `A request may have at most ${MAX_HEADERS} headers.`)
  }
  let seen: Set<string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (!SINGLE_HEADERS.has(name)) continue
    seen ??= new Set()
    if (seen.has(name)) throw new SwitchyardError('invalid_header', `The header "${name}" was sent twice.`)
    seen.add(name)
  }
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new SwitchyardError(
      'unsupported_media_type',
      'Compressed request bodies are not accepted: send the JSON as it is.',
    )
  }
}

/**
 * Keeps web pages off a keyless service on loopback: a page in the user's browser could otherwise spend the user's money
 * (cross-site requests carry `Origin`; DNS rebinding shows in `Host`).
 */
export function checkKeylessHead(request: IncomingMessage, allowedOrigins: ReadonlySet<string>): void {
  const { host, origin } = request.headers
  if (host !== undefined && !isLoopbackHost(host)) {
    throw new SwitchyardError(
      'invalid_host',
      'Without `keys` this service answers only to a loopback name (localhost, 127.0.0.1, [::1]). Add `keys:` to the configuration to use another.',
    )
  }
  if (origin !== undefined && !allowedOrigins.has(origin)) {
    throw new SwitchyardError(
      'origin_not_allowed',
      "Requests from web pages are refused. List the page's origin in `server.allowedOrigins` to allow it.",
    )
  }
}

/** True for `localhost`, `127.0.0.0/8` and `[::1]`, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d*$/, '')
  return name === '[::1]' || name.toLowerCase() === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
