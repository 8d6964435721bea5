import { string, type Fields } from '../check.ts'
import type { ReasoningPart, Signer } from '../request.ts'
import type { DecodeNotes } from './decode-notes.ts'
import { CALL_ID, readOpaque } from './opaque.ts'

type Read =
  | { readonly kind: 'part'; readonly part: ReasoningPart }
  | { readonly kind: 'call'; readonly signature: string; readonly signedBy: Signer }

/** A thinking block of an earlier answer. One without a signature came from a model that signs nothing. */
export function decodeReasoning(
  block: Fields,
  type: 'thinking' | 'redacted_thinking',
  where: string,
  notes: DecodeNotes,
): Read {
  if (type === 'redacted_thinking') {
    const { value, signedBy, id } = readOpaque(notes.metered(string(block['data'], `${where}.data`)))
    return id === CALL_ID
      ? { kind: 'call', signature: value, signedBy }
      : {
          kind: 'part',
          part: { type: 'reasoning', text: '', ...(id === undefined ? {} : { id }), redacted: value, signedBy },
        }
  }
  const text = notes.metered(string(block['thinking'], `${where}.thinking`))
  const { signature } = block as { signature?: unknown }
  const shown = signature === undefined || signature === null ? '' : string(signature, `${where}.signature`)
  if (shown === '') return { kind: 'part', part: { type: 'reasoning', text } }
  const { value, signedBy, id } = readOpaque(notes.metered(shown))
  return {
    kind: 'part',
    part: { type: 'reasoning', text, ...(id === undefined ? {} : { id }), signature: value, signedBy },
  }
}
