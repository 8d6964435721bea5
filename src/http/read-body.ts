import type { IncomingMessage } from 'node:http'
import type { SwitchyardError } from '../shared/errors.ts'
import { bodyTooLarge } from './error-reply.ts'

/**
 * Reads a request's body and calls `done` once with its bytes, or with `request_too_large` as soon as that is certain. Where the
 * caller leaves or time runs out before the end, `done` is never called: the server answers or closes such connections itself.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  done: (body: Buffer | SwitchyardError) => void,
): void {
  if (Number(request.headers['content-length']) > limitBytes) {
    done(bodyTooLarge())
    return
  }
  const pieces: Buffer[] = []
  let size = 0
  const take = (piece: Buffer): void => {
    size += piece.length
    if (size <= limitBytes) {
      pieces.push(piece)
      return
    }
    request.off('data', take)
    request.off('end', end)
    done(bodyTooLarge())
  }
  const end = (): void => {
    const [first] = pieces
    done(first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces, size))
  }
  request.on('data', take)
  request.on('end', end)
}

/** Whether the body is declared as JSON (RFC 9110 section 8.3; parameters such as a charset may follow). */
export function isJson(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^application\/json[ \t]*(?:;|$)/i.test(contentType ?? '')
}
