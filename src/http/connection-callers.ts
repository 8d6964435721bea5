import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Caller } from '../gateway/steps.ts'
import { credentials } from './credentials.ts'
import type { Keyring } from './keyring.ts'

interface Known {
  readonly keyring: Keyring
  readonly authorization: string | undefined
  readonly apiKey: string | undefined
  readonly caller: Caller
}

/**
 * Remembers who a connection's last request came from: clients send the same credentials again and again on one connection, and
 * hashing them each time costs more than looking at them. Only a caller that was let in is remembered, for as long as the keyring is
 * the same object (a made, revoked or expired key makes another one) and the connection lives; a comparison's time tells a connection
 * nothing but what it sent itself.
 */
export class ConnectionCallers {
  readonly #known = new WeakMap<Socket, Known>()

  /** The caller of a request. Throws `invalid_api_key`. */
  authenticate(keyring: Keyring, request: IncomingMessage): Caller {
    const [authorization, apiKey] = credentials(request.headers)
    const known = this.#known.get(request.socket)
    if (known?.keyring === keyring && known.authorization === authorization && known.apiKey === apiKey) {
      return known.caller
    }
    const caller = keyring.authenticate(authorization, apiKey)
    this.#known.set(request.socket, { keyring, authorization, apiKey, caller })
    return caller
  }
}
