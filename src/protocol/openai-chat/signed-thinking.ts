/**
 * Signed thinking in the chat dialect, on a message beside Google's signatures: `extra_content: { anthropic: { thinking: [...] } }` holds
 * the blocks as Anthropic's API has them, `extra_content: { openai: { reasoning: [...] } }` the items of the Responses API. They go back
 * to their provider unchanged. A stream sends the whole list each time that a piece is complete, because SDKs keep the last value of a
 * field that they do not know.
 */
import type { AnswerEvent } from '../answer.ts'
import { isObject, type Fields } from '../check.ts'
import type { ReasoningPart } from '../request.ts'

type Block =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }

interface Item {
  readonly type: 'reasoning'
  readonly id?: string
  readonly summary: readonly { readonly type: 'summary_text'; readonly text: string }[]
  readonly encrypted_content: string
}

export type SignedExtra =
  | { readonly anthropic: { readonly thinking: readonly Block[] } }
  | { readonly openai: { readonly reasoning: readonly Item[] } }

/** The pieces of one answer, put together from its events. */
export class SignedThinking {
  readonly #blocks: Block[] = []
  readonly #items: Item[] = []
  #text = ''

  /** Takes an event that Anthropic or OpenAI has signed; true = a piece is whole by it. */
  take({ text, id, signature, redacted, signedBy }: Extract<AnswerEvent, { type: 'reasoning' }>): boolean {
    if (redacted !== undefined) {
      this.#blocks.push({ type: 'redacted_thinking', data: redacted })
      return true
    }
    this.#text += text
    if (signature === undefined) return false
    if (signedBy === 'openai') this.#items.push(itemOf(this.#text, signature, id))
    else this.#blocks.push({ type: 'thinking', thinking: this.#text, signature })
    this.#text = ''
    return true
  }

  /** What `extra_content` holds; undefined while there is no whole piece. */
  get extra(): SignedExtra | undefined {
    if (this.#items.length > 0) return { openai: { reasoning: this.#items } }
    return this.#blocks.length === 0 ? undefined : { anthropic: { thinking: this.#blocks } }
  }
}

function itemOf(text: string, encrypted_content: string, id: string | undefined): Item {
  const summary = text === '' ? [] : [{ type: 'summary_text' as const, text }]
  return { type: 'reasoning', ...(id === undefined ? {} : { id }), summary, encrypted_content }
}

/** The pieces that a caller has sent back. What is none is left out, as with all that servers return. */
export function signedThinkingIn(raw: Fields): readonly ReasoningPart[] {
  const extra = raw['extra_content']
  if (!isObject(extra)) return []
  return [
    ...listIn(extra['anthropic'], 'thinking').flatMap(partOf),
    ...listIn(extra['openai'], 'reasoning').flatMap(ofItem),
  ]
}

function listIn(holder: unknown, name: string): readonly unknown[] {
  const list = isObject(holder) ? holder[name] : undefined
  return Array.isArray(list) ? (list as readonly unknown[]) : []
}

function partOf(block: unknown): readonly ReasoningPart[] {
  if (!isObject(block)) return []
  const { type, thinking, signature, data } = block
  if (type === 'redacted_thinking' && typeof data === 'string')
    return [{ type: 'reasoning', text: '', redacted: data, signedBy: 'anthropic' }]
  if (type !== 'thinking' || typeof thinking !== 'string' || typeof signature !== 'string') return []
  return [{ type: 'reasoning', text: thinking, signature, signedBy: 'anthropic' }]
}

function ofItem(item: unknown): readonly ReasoningPart[] {
  if (!isObject(item) || item['type'] !== 'reasoning') return []
  const { id, encrypted_content: signature } = item
  if (typeof signature !== 'string' || signature === '') return []
  const text = listIn(item, 'summary')
    .map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n\n')
  return [{ type: 'reasoning', text, ...(typeof id === 'string' ? { id } : {}), signature, signedBy: 'openai' }]
}
