import type { AnswerEvent } from '../answer.ts'
import type { JsonObject, Signer } from '../request.ts'
import type { GrowingItem, ItemStatus, Say } from './answer-items.ts'
import { showEncrypted } from './encrypted-content.ts'

type Fragment = Extract<AnswerEvent, { type: 'reasoning' }>

/**
 * Thinking of the output. What OpenAI shows of its own is a summary; what other models write is the thinking itself
 * (`content`, `reasoning_text`). The first fragment decides.
 */
export class ReasoningItem implements GrowingItem {
  readonly index: number
  readonly #id: string
  readonly #upstreamId: string | undefined
  readonly #isSummary: boolean
  readonly #say: Say
  #text: string | undefined
  #encrypted: string | undefined
  #signedBy: Signer | undefined
  #signature: string | undefined
  #redacted: string | undefined

  constructor(id: string, index: number, first: Fragment | { readonly encrypted: string }, say: Say) {
    this.#id = id
    this.index = index
    this.#say = say
    if ('encrypted' in first) {
      this.#encrypted = first.encrypted
      this.#isSummary = true
    } else {
      this.#upstreamId = first.id
      this.#isSummary = first.signedBy === 'openai'
    }
  }

  /** Whether a fragment is more of the same thinking. */
  isContinuedBy(event: Fragment): boolean {
    if (event.redacted !== undefined || this.#redacted !== undefined) return false
    if (event.id !== undefined && this.#upstreamId !== undefined && event.id !== this.#upstreamId) return false
    return this.#signature === undefined || event.text === ''
  }

  take(event: Fragment): void {
    if (event.signature !== undefined) this.#signature = (this.#signature ?? '') + event.signature
    this.#redacted ??= event.redacted
    this.#signedBy ??= event.signedBy
    if (event.text === '') return
    if (this.#text === undefined) {
      this.#text = ''
      if (this.#isSummary) this.#say('reasoning_summary_part.added', { ...this.#place(), part: this.#part() })
      else this.#say('content_part.added', { ...this.#place(), part: this.#part() })
    }
    this.#text += event.text
    const what = this.#isSummary ? 'reasoning_summary_text.delta' : 'reasoning_text.delta'
    this.#say(what, { ...this.#place(), delta: event.text })
  }

  close(): void {
    this.#encrypted ??= showEncrypted({
      ...(this.#signature === undefined ? {} : { signature: this.#signature }),
      ...(this.#redacted === undefined ? {} : { redacted: this.#redacted }),
      ...(this.#signedBy === undefined ? {} : { signedBy: this.#signedBy }),
    })
    if (this.#text === undefined) return
    const text = this.#text
    this.#say(this.#isSummary ? 'reasoning_summary_text.done' : 'reasoning_text.done', { ...this.#place(), text })
    if (this.#isSummary) this.#say('reasoning_summary_part.done', { ...this.#place(), part: this.#part() })
    else this.#say('content_part.done', { ...this.#place(), part: this.#part() })
  }

  body(status: ItemStatus | 'in_progress'): JsonObject {
    const parts = this.#text === undefined ? [] : [this.#part()]
    return {
      id: this.#id,
      type: 'reasoning',
      status,
      summary: this.#isSummary ? parts : [],
      ...(this.#isSummary ? {} : { content: parts }),
      ...(this.#encrypted === undefined ? {} : { encrypted_content: this.#encrypted }),
    }
  }

  #part(): JsonObject {
    return { type: this.#isSummary ? 'summary_text' : 'reasoning_text', text: this.#text ?? '' }
  }

  #place(): JsonObject {
    const place = { item_id: this.#id, output_index: this.index }
    return this.#isSummary ? { ...place, summary_index: 0 } : { ...place, content_index: 0 }
  }
}
