/**
 * Anthropic's signed thinking in the chat dialect: `extra_content: { anthropic: { thinking: [...] } }` on a message, beside Google's
 * signatures. The list holds the blocks as Anthropic's API has them, and goes back to it unchanged. A stream sends the whole list each
 * time that a block is complete, because SDKs keep the last value of a field that they do not know.
 */
import type { AnswerEvent } from '../answer.ts'
import { isObject, type Fields } from '../check.ts'
import type { ReasoningPart } from '../request.ts'

type Block =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }

/** The blocks of one answer, put together from its events. */
export class SignedThinking {
  readonly #blocks: Block[] = []
  #text = ''

  /** Takes an event that Anthropic has signed; true = a block is whole by it. */
  take({ text, signature, redacted }: Extract<AnswerEvent, { type: 'reasoning' }>): boolean {
    if (redacted !== undefined) this.#blocks.push({ type: 'redacted_thinking', data: redacted })
    else {
      this.#text += text
      if (signature === undefined) return false
      this.#blocks.push({ type: 'thinking', thinking: this.#text, signature })
      this.#text = ''
    }
    return true
  }

  /** What `extra_content` holds; undefined while there is no whole block. */
  get extra(): { readonly anthropic: { readonly thinking: readonly Block[] } } | undefined {
    return this.#blocks.length === 0 ? undefined : { anthropic: { thinking: this.#blocks } }
  }
}

/** The blocks that a caller has sent back. What is no such block is left out, as with all that servers return. */
export function signedThinkingIn(raw: Fields): readonly ReasoningPart[] {
  const extra = raw['extra_content']
  const anthropic = isObject(extra) ? extra['anthropic'] : undefined
  const list = isObject(anthropic) ? anthropic['thinking'] : undefined
  if (!Array.isArray(list)) return []
  return list.flatMap((block: unknown): ReasoningPart[] => {
    if (!isObject(block)) return []
    const { type, thinking, signature, data } = block
    if (type === 'redacted_thinking' && typeof data === 'string')
      return [{ type: 'reasoning', text: '', redacted: data, signedBy: 'anthropic' }]
    if (type !== 'thinking' || typeof thinking !== 'string' || typeof signature !== 'string') return []
    return [{ type: 'reasoning', text: thinking, signature, signedBy: 'anthropic' }]
  })
}
