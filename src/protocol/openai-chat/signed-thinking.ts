/**
 * Signed thinking in the chat dialect: `extra_content: { anthropic: { thinking: [...] } }` or `{ openai: { reasoning: [...] } }` on a
 * message, beside Google's signatures. The lists hold the blocks as Anthropic's API has them, and OpenAI's reasoning items with their
 * encrypted content, and go back unchanged. A stream sends the whole list each time that one of it is complete, because SDKs keep the
 * last value of a field that they do not know.
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

interface Extra {
  readonly anthropic?: { readonly thinking: readonly Block[] }
  readonly openai?: { readonly reasoning: readonly Item[] }
}

type ReasoningEvent = Extract<AnswerEvent, { type: 'reasoning' }>

/** What was signed in one answer, put together from its events. */
export class SignedThinking {
  readonly #blocks: Block[] = []
  readonly #items: Item[] = []
  /** Of the block or item that is not complete. */
  #text = ''
  #id: string | undefined

  /** Takes an event that Anthropic or OpenAI has signed; true = a block or item is whole by it. */
  take(event: ReasoningEvent): boolean {
    return event.signedBy === 'openai' ? this.#item(event) : this.#block(event)
  }

  /** What `extra_content` holds; undefined while nothing is whole. */
  get extra(): Extra | undefined {
    if (this.#blocks.length > 0) return { anthropic: { thinking: this.#blocks } }
    return this.#items.length > 0 ? { openai: { reasoning: this.#items } } : undefined
  }

  #block({ text, signature, redacted }: ReasoningEvent): boolean {
    if (redacted !== undefined) this.#blocks.push({ type: 'redacted_thinking', data: redacted })
    else {
      this.#text += text
      if (signature === undefined) return false
      this.#blocks.push({ type: 'thinking', thinking: this.#text, signature })
      this.#text = ''
    }
    return true
  }

  #item({ text, id, signature }: ReasoningEvent): boolean {
    // One that came without its encrypted content cannot go back.
    if (id !== this.#id) this.#text = ''
    this.#id = id
    this.#text += text
    if (signature === undefined) return false
    this.#items.push({
      type: 'reasoning',
      ...(id === undefined ? {} : { id }),
      summary: this.#text === '' ? [] : [{ type: 'summary_text', text: this.#text }],
      encrypted_content: signature,
    })
    this.#text = ''
    return true
  }
}

/** What a caller has sent back. What is no such block or item is left out, as with all that servers return. */
export function signedThinkingIn(raw: Fields): readonly ReasoningPart[] {
  const extra = raw['extra_content']
  if (!isObject(extra)) return []
  const { anthropic, openai } = extra
  return [
    ...listIn(isObject(anthropic) ? anthropic['thinking'] : undefined).flatMap(blockPart),
    ...listIn(isObject(openai) ? openai['reasoning'] : undefined).flatMap(itemPart),
  ]
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function blockPart(block: unknown): readonly ReasoningPart[] {
  if (!isObject(block)) return []
  const { type, thinking, signature, data } = block
  if (type === 'redacted_thinking' && typeof data === 'string')
    return [{ type: 'reasoning', text: '', redacted: data, signedBy: 'anthropic' }]
  if (type !== 'thinking' || typeof thinking !== 'string' || typeof signature !== 'string') return []
  return [{ type: 'reasoning', text: thinking, signature, signedBy: 'anthropic' }]
}

function itemPart(item: unknown): readonly ReasoningPart[] {
  if (!isObject(item)) return []
  const { type, id, summary, encrypted_content: signature } = item
  if (type !== 'reasoning' || typeof signature !== 'string') return []
  const text = listIn(summary).flatMap((part) =>
    isObject(part) && typeof part['text'] === 'string' ? part['text'] : [],
  )
  return [
    {
      type: 'reasoning',
      text: text.join('\n\n'),
      ...(typeof id === 'string' ? { id } : {}),
      signature,
      signedBy: 'openai',
    },
  ]
}
