/** Signed thinking: only who signed it can check it, and a changed text or another provider's signature does not pass. */
import { createHash, createHmac } from 'node:crypto'

const DIGEST_BYTES = 16
const MAC_BYTES = 32

/** A signature of a text, base64. */
export function sign(signer: string, text: string): string {
  const digest = digestOf(text)
  return Buffer.concat([digest, macOf(signer, digest)]).toString('base64')
}

/** Whether `signer` has signed something with it; with a text, whether it was that one. */
export function isSignature(signer: string, signature: unknown, text?: string): boolean {
  if (typeof signature !== 'string') return false
  const bytes = Buffer.from(signature, 'base64')
  if (bytes.length !== DIGEST_BYTES + MAC_BYTES || bytes.toString('base64') !== signature) return false
  const digest = bytes.subarray(0, DIGEST_BYTES)
  return (
    macOf(signer, digest).equals(bytes.subarray(DIGEST_BYTES)) && (text === undefined || digestOf(text).equals(digest))
  )
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES)
}

function macOf(signer: string, digest: Buffer): Buffer {
  return createHmac('sha256', `simulated ${signer}`).update(digest).digest()
}
