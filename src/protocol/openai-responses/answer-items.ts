/**
 * Puts the events of an answer together to output items, and says each step of it: the stream writes what is said, a whole answer
 * keeps only the items, so that both are the same by construction.
 */
import type { AnswerEvent, FinishReason, TokenLogprob } from '../answer.ts'
import type { JsonObject, Phase, Signer } from '../request.ts'
import { CallItem } from './call-item.ts'
import { showCallSignature } from './encrypted-content.ts'
import { MessageItem } from './message-item.ts'
import { ReasoningItem } from './reasoning-item.ts'

/** Hears the type of a stream event (without `response.`) and its fields. */
export type Say = (type: string, fields: JsonObject) => void

export type ItemStatus = 'completed' | 'incomplete'

/** One item of the output while it grows. */
export interface GrowingItem {
  readonly index: number
  /** Says what ends it; nothing may be added after. Called once. */
  close(status: ItemStatus): void
  body(status: ItemStatus | 'in_progress'): JsonObject
}

export class AnswerItems {
  readonly #answerId: string
  readonly #say: Say
  readonly #items: GrowingItem[] = []
  readonly #done: (ItemStatus | undefined)[] = []
  readonly #calls = new Map<number, CallItem>()
  #message: MessageItem | undefined
  #reasoning: ReasoningItem | undefined
  finish: FinishReason | undefined

  constructor(answerId: string, say: Say) {
    this.#answerId = answerId
    this.#say = say
  }

  /** Takes the events of one chunk. One answer is all that this API has: other choices are none of it. */
  take(events: readonly AnswerEvent[]): void {
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as AnswerEvent
      if ('choice' in event && event.choice !== 0) continue
      const next = events[at + 1]
      const logprobs = event.type === 'text' && next?.type === 'logprobs' && next.choice === 0 ? next.content : null
      if (logprobs !== null) at++
      this.#take(event, logprobs ?? [])
    }
  }

  /** The answer is over: what is open ends. */
  close(): void {
    const status = this.finish === 'length' || this.finish === 'content_filter' ? 'incomplete' : 'completed'
    for (const { index } of this.#items) this.#close(index, status)
  }

  /** The output as it stands. What is not done has the given status. */
  output(open: ItemStatus | 'in_progress' = 'in_progress'): readonly JsonObject[] {
    return this.#items.map((item, index) => item.body(this.#done[index] ?? open))
  }

  #take(event: AnswerEvent, logprobs: readonly TokenLogprob[]): void {
    switch (event.type) {
      case 'text':
        if (event.text !== '' || logprobs.length > 0) this.#openMessage(event.phase).text(event.text, logprobs)
        return
      case 'refusal':
        if (event.text !== '') this.#openMessage(event.phase).refusal(event.text)
        return
      case 'annotations':
        this.#openMessage().annotations(event.annotations)
        return
      case 'logprobs':
        if (event.content !== null && event.content.length > 0) this.#openMessage().text('', event.content)
        return
      case 'reasoning':
        this.#takeReasoning(event)
        return
      case 'tool-call':
        this.#takeCall(event)
        return
      case 'finish':
        this.finish = event.reason
        return
      case 'start':
      case 'usage':
      case 'audio':
        return
      default:
        event satisfies never
    }
  }

  #openMessage(phase?: Phase): MessageItem {
    if (phase !== undefined) this.#endMessage()
    if (this.#message !== undefined) return this.#message
    this.#endReasoning()
    this.#message = this.#add((index) => new MessageItem(`msg_${this.#answerId}_${index}`, index, this.#say, phase))
    return this.#message
  }

  #takeReasoning(event: Extract<AnswerEvent, { type: 'reasoning' }>): void {
    const isEmpty = event.text === '' && event.signature === undefined && event.redacted === undefined
    if (isEmpty) return
    this.#endMessage()
    // What is signed and done, or of another id, is followed by a piece of its own.
    if (this.#reasoning?.isContinuedBy(event) === false) this.#endReasoning()
    this.#reasoning ??= this.#add(
      (index) => new ReasoningItem(event.id ?? `rs_${this.#answerId}_${index}`, index, event, this.#say),
    )
    this.#reasoning.take(event)
  }

  #takeCall(event: Extract<AnswerEvent, { type: 'tool-call' }>): void {
    let call = this.#calls.get(event.index)
    if (call === undefined) {
      this.#endMessage()
      this.#endReasoning()
      const callId = event.id ?? `call_${this.#answerId}_${event.index}`
      if (event.signature !== undefined) this.#signature(callId, event.signature, event.signedBy ?? 'openai')
      call = this.#add((index) => new CallItem({ answerId: this.#answerId, callId, index }, event, this.#say))
      this.#calls.set(event.index, call)
    } else if (event.signature !== undefined) this.#signature(call.callId, event.signature, event.signedBy ?? 'openai')
    call.take(event.arguments)
  }

  /** A call's item has no place for its signature: an item beside it carries it. */
  #signature(callId: string, signature: string, signedBy: Signer): void {
    const shown = showCallSignature(callId, signature, signedBy)
    const item = this.#add(
      (index) => new ReasoningItem(`rs_${this.#answerId}_${index}`, index, { encrypted: shown }, this.#say),
    )
    this.#close(item.index, 'completed')
  }

  #add<Kind extends GrowingItem>(make: (index: number) => Kind): Kind {
    const item = make(this.#items.length)
    this.#items.push(item)
    this.#done.push(undefined)
    this.#say('output_item.added', { output_index: item.index, item: item.body('in_progress') })
    return item
  }

  #endMessage(): void {
    if (this.#message !== undefined) this.#close(this.#message.index, 'completed')
    this.#message = undefined
  }

  #endReasoning(): void {
    if (this.#reasoning !== undefined) this.#close(this.#reasoning.index, 'completed')
    this.#reasoning = undefined
  }

  #close(index: number, status: ItemStatus): void {
    const item = this.#items[index]
    if (item === undefined || this.#done[index] !== undefined) return
    this.#done[index] = status
    item.close(status)
    this.#say('output_item.done', { output_index: index, item: item.body(status) })
  }
}
