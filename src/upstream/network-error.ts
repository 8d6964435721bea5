import { errors } from 'undici'
import { SwitchyardError } from '../shared/errors.ts'
import { failure } from './openai/errors.ts'

const UNREACHABLE = 'The model server cannot be reached.'
/** Codes of Node and undici that say that no connection came about. */
const NO_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'EACCES',
  'EINVAL',
])
/** Codes of a connection that broke. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])
const TLS = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/

/** What undici throws before a byte of an answer came, as a row of the error table. */
export function fromNetworkError(thrown: Error): { readonly error: SwitchyardError; readonly isStaleSocket: boolean } {
  const code = 'code' in thrown ? String(thrown.code) : ''
  const detail = `${code} ${thrown.message}`.trim()
  const options = { detail, cause: thrown }
  if (TLS.test(code)) {
    return {
      error: new SwitchyardError(
        'upstream_tls',
        "The model server's certificate is not trusted or does not fit its name.",
        options,
      ),
      isStaleSocket: false,
    }
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return { error: failure('upstream_timeout', options), isStaleSocket: false }
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('UND_ERR_RESPONSE')) {
    return { error: failure('upstream_garbage', options), isStaleSocket: false }
  }
  if (BROKEN.has(code))
    return { error: new SwitchyardError('upstream_unreachable', UNREACHABLE, options), isStaleSocket: !isFresh(thrown) }
  const known = NO_CONNECTION.has(code) ? options : { ...options, detail: `unexpected: ${detail}` }
  return { error: new SwitchyardError('upstream_unreachable', UNREACHABLE, known), isStaleSocket: false }
}

/** A connection on which nothing was ever read carried no answer before this one: it cannot have gone stale between two. */
function isFresh(thrown: Error): boolean {
  return thrown instanceof errors.SocketError && thrown.socket?.bytesRead === 0
}
