import { createHash } from 'node:crypto'

/** Ids that the API takes (tool use guide); those of other providers may hold anything. */
const PLAIN = /^[a-zA-Z0-9_-]{1,64}$/

/** A call's id as Anthropic takes it; the same one of a call and of its result becomes the same again. */
export function toolIdFor(id: string): string {
  return PLAIN.test(id) ? id : `call_${createHash('sha256').update(id).digest('base64url')}`
}
