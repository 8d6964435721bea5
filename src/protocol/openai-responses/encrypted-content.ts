/**
 * What stands in `encrypted_content` of a reasoning item: OpenAI's own text bare, another provider's signature with its name before it
 * (`protocol/signature.ts`). Three kinds are told apart by a mark that no base64 holds.
 */
import type { ReasoningPart, Signer } from '../request.ts'
import { readSignature, showSignature } from '../signature.ts'

/** Before data that a provider redacted: there is no text beside it. */
const REDACTED = '!'
/** Around the id of the call that a signature is of: `@call_1@…`. */
const OF_CALL = '@'

type Signed = Pick<ReasoningPart, 'signature' | 'redacted' | 'signedBy'>

/** Undefined = nothing is signed. */
export function showEncrypted({ signature, redacted, signedBy = 'openai' }: Signed): string | undefined {
  if (signature !== undefined) return showSignature(signature, signedBy, 'openai')
  return redacted === undefined ? undefined : showSignature(REDACTED + redacted, signedBy, 'openai')
}

/** The signature of a tool call: its item has no place for one, so that a reasoning item beside it carries it. */
export function showCallSignature(callId: string, signature: string, signedBy: Signer): string {
  return showSignature(`${OF_CALL}${callId}${OF_CALL}${signature}`, signedBy, 'openai')
}

/** What the two above have shown. */
export function readEncrypted(shown: string): Signed & { readonly callId?: string } {
  const { signature, signedBy } = readSignature(shown, 'openai')
  if (signature.startsWith(REDACTED)) return { redacted: signature.slice(1), signedBy }
  const end = signature.startsWith(OF_CALL) ? signature.lastIndexOf(OF_CALL) : 0
  if (end > 0) return { callId: signature.slice(1, end), signature: signature.slice(end + 1), signedBy }
  return { signature, signedBy }
}
