import type { Signer } from './request.ts'

const SIGNERS: readonly Signer[] = ['anthropic', 'google', 'openai', 'openrouter']

/**
 * A signature as a dialect shows it to its callers: its own provider's bare, another's with the name before it (`google#…`; no
 * signature holds a `#`, they are base64), so that the next turn of the conversation can tell where it may go back to.
 */
export function showSignature(signature: string, signedBy: Signer, native: Signer): string {
  return signedBy === native ? signature : `${signedBy}#${signature}`
}

/** What `showSignature` has shown. */
export function readSignature(
  shown: string,
  native: Signer,
): { readonly signature: string; readonly signedBy: Signer } {
  const signedBy = SIGNERS.find((each) => shown.startsWith(`${each}#`))
  return signedBy === undefined
    ? { signature: shown, signedBy: native }
    : { signature: shown.slice(signedBy.length + 1), signedBy }
}
