/**
 * What a provider wants back unchanged, in the two places that this API has for it: the `signature` of a thinking block and the
 * `data` of a redacted one. Written `[signer#][id:]value`: the signer where it is not Anthropic (`signature.ts`), the id where the
 * provider gave the piece one (OpenAI's `rs_…`). Values are base64 and hold neither `#` nor `:`.
 */
import type { Signer } from '../request.ts'
import { readSignature, showSignature } from '../signature.ts'

export interface Opaque {
  readonly value: string
  readonly signedBy: Signer
  readonly id?: string
}

/**
 * Stands in the place of an id for the signature of a tool call (Google's), which has no place of its own in this API: it goes in a
 * redacted block right before the call. Clients send such blocks back as they came.
 */
export const CALL_ID = 'call'

export function showOpaque({ value, signedBy, id }: Opaque): string {
  return showSignature(id === undefined ? value : `${id}:${value}`, signedBy, 'anthropic')
}

export function readOpaque(shown: string): Opaque {
  const { signature, signedBy } = readSignature(shown, 'anthropic')
  const colon = signature.indexOf(':')
  return colon === -1
    ? { value: signature, signedBy }
    : { value: signature.slice(colon + 1), signedBy, id: signature.slice(0, colon) }
}
