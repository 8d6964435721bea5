/**
 * Google's thought signatures in the chat dialect: `extra_content: { google: { thought_signature } }` on a tool call or a message, as
 * Google's own OpenAI-compatible endpoint writes it (Gemini API docs, thought signatures). OpenAI's SDKs keep fields that they do not
 * know, so that what a client sends back still has it.
 */
import { isObject, type Fields } from '../check.ts'

/** The field as JSON text, without a comma; only for Google's signatures. */
export function extraContent(signature: string): string {
  return `"extra_content":{"google":{"thought_signature":${JSON.stringify(signature)}}}`
}

/** The signature that a caller has sent back. */
export function signatureIn(raw: Fields): string | undefined {
  const extra = raw['extra_content']
  const google = isObject(extra) ? extra['google'] : undefined
  const signature = isObject(google) ? google['thought_signature'] : undefined
  return typeof signature === 'string' && signature !== '' ? signature : undefined
}
