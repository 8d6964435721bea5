import { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerEvent } from '../answer.ts'
import type { ChatRequest } from '../request.ts'
import { CALL_ID, showOpaque } from './opaque.ts'
import type { Ending } from './stop-reason.ts'
import { showToolId } from './tool-ids.ts'

export type OpenBlock =
  | { readonly type: 'text' | 'thinking' }
  | { readonly type: 'redacted_thinking'; readonly data: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string }

export type DeltaKind = 'text' | 'thinking' | 'signature' | 'input'

/** Takes the blocks of an answer: strictly one after the other, each opened, filled and closed. */
export interface BlockSink {
  open(block: OpenBlock): void
  delta(kind: DeltaKind, text: string): void
  close(): void
}

type TextEvent = Extract<AnswerEvent, { type: 'text' | 'refusal' }>
type ReasoningEvent = Extract<AnswerEvent, { type: 'reasoning' }>
type CallEvent = Extract<AnswerEvent, { type: 'tool-call' }>
type BlockEvent = TextEvent | ReasoningEvent | CallEvent

/** The block that is being written. */
type Current =
  | { readonly kind: 'text' }
  | { readonly kind: 'thinking'; readonly id: string | undefined; isSigned: boolean }
  | { readonly kind: 'call'; readonly index: number; text: string; isWhole: boolean }

/**
 * Turns the events of an answer into Anthropic's content blocks. Their blocks never overlap, while fragments of parallel calls may
 * come mixed: what belongs to another block waits until the call before it is whole, which valid JSON shows, or until the answer ends.
 */
export class AnswerBlocks {
  readonly #sink: BlockSink
  readonly #answerId: string
  readonly #hides: 'nothing' | 'text' | 'thinking'
  readonly #stops: readonly string[]
  readonly #begun = new Set<number>()
  #current: Current | undefined
  #waiting: BlockEvent[] = []
  #ending: Ending | undefined
  #refusal: string | undefined
  #category: string | null = null

  /** `answerId` makes ids for calls whose upstream gave none. */
  constructor(sink: BlockSink, answerId: string, { thinking, sampling }: Pick<ChatRequest, 'thinking' | 'sampling'>) {
    this.#sink = sink
    this.#answerId = answerId
    this.#stops = sampling.stop ?? []
    this.#hides = thinking?.type === 'disabled' ? 'thinking' : thinking?.display === 'omitted' ? 'text' : 'nothing'
  }

  /** How the answer ended; an ordinary end until it says otherwise. */
  get ending(): Ending {
    return {
      ...(this.#ending ?? { reason: 'stop' }),
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal, category: this.#category }),
    }
  }

  take(event: AnswerEvent): void {
    switch (event.type) {
      case 'text':
      case 'refusal':
      case 'reasoning':
      case 'tool-call':
        // This API has one answer to a request.
        if (event.choice === 0) this.#takeBlock(event)
        return
      case 'finish':
        if (event.choice !== 0) return
        this.finish()
        this.#ending = {
          reason: event.reason,
          // Engines may have other words in that place; a stop sequence is one of the caller's.
          ...(event.stopSequence !== undefined && this.#stops.includes(event.stopSequence)
            ? { stopSequence: event.stopSequence }
            : {}),
        }
        return
      case 'start':
      case 'usage':
      case 'logprobs':
      case 'annotations':
      case 'audio':
        return
      default:
        event satisfies never
    }
  }

  /** Closes what is open and writes what has waited, call by call. */
  finish(): void {
    this.#close()
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting as [BlockEvent]
      const isTogether = (event: BlockEvent): boolean =>
        event === first || (event.type === 'tool-call' && first.type === 'tool-call' && event.index === first.index)
      const together = this.#waiting.filter(isTogether)
      this.#waiting = this.#waiting.filter((event) => !isTogether(event))
      for (const event of together) this.#write(event)
      if (first.type === 'tool-call') this.#close()
    }
    this.#close()
  }

  #takeBlock(event: BlockEvent): void {
    const current = this.#current
    if (current?.kind !== 'call' || (event.type === 'tool-call' && event.index === current.index)) {
      this.#write(event)
      return
    }
    if (isEmpty(event)) return
    this.#waiting.push(event)
    this.#drain()
  }

  /** Writes what waits for a call that has become whole meanwhile. */
  #drain(): void {
    while (this.#waiting.length > 0) {
      const current = this.#current
      if (current?.kind === 'call') {
        const next = this.#waiting.findIndex((event) => event.type === 'tool-call' && event.index === current.index)
        if (next === -1 && !isWhole(current)) return
        if (next !== -1) {
          this.#write(this.#waiting.splice(next, 1)[0] as BlockEvent)
          continue
        }
      }
      this.#write(this.#waiting.shift() as BlockEvent)
    }
  }

  #write(event: BlockEvent): void {
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.#text(event)
        return
      case 'reasoning':
        this.#reasoning(event)
        return
      case 'tool-call':
        this.#call(event)
        return
      default:
        event satisfies never
    }
  }

  #text(event: TextEvent): void {
    const { type, text } = event
    if (text === '') return
    if (type === 'refusal') {
      this.#refusal = (this.#refusal ?? '') + text
      if (event.aside !== undefined) {
        this.#category = event.aside.category
        return
      }
    }
    if (this.#current?.kind !== 'text') this.#open({ type: 'text' }, { kind: 'text' })
    this.#sink.delta('text', text)
  }

  #reasoning({ text, id, signature, redacted, signedBy = 'anthropic' }: ReasoningEvent): void {
    if (this.#hides === 'thinking') return
    const shown = (value: string): string => showOpaque({ value, signedBy, ...(id === undefined ? {} : { id }) })
    if (redacted !== undefined) {
      this.#close()
      this.#sink.open({ type: 'redacted_thinking', data: shown(redacted) })
      this.#sink.close()
      return
    }
    const said = this.#hides === 'text' ? '' : text
    if (said === '' && signature === undefined) return
    const current = this.#current
    const isSame = current?.kind === 'thinking' && !current.isSigned && (id === undefined || current.id === id)
    if (!isSame) this.#open({ type: 'thinking' }, { kind: 'thinking', id, isSigned: false })
    if (said !== '') this.#sink.delta('thinking', said)
    if (signature !== undefined) {
      this.#sink.delta('signature', shown(signature))
      this.#current = { kind: 'thinking', id, isSigned: true }
    }
  }

  #call(event: CallEvent): void {
    const current = this.#current
    if (current?.kind !== 'call' || current.index !== event.index) {
      if (this.#begun.has(event.index)) {
        if (event.arguments.trim() === '') return
        throw new SwitchyardError('upstream_garbage', 'The model sent more of a tool call after its end.')
      }
      this.#begin(event)
    }
    if (event.arguments === '' || this.#current?.kind !== 'call') return
    this.#current.text += event.arguments
    this.#current.isWhole = false
    this.#sink.delta('input', event.arguments)
  }

  #begin({ index, id, name, signature, signedBy = 'google' }: CallEvent): void {
    this.#begun.add(index)
    if (signature !== undefined) {
      this.#close()
      this.#sink.open({ type: 'redacted_thinking', data: showOpaque({ value: signature, signedBy, id: CALL_ID }) })
      this.#sink.close()
    }
    this.#open(
      { type: 'tool_use', id: showToolId(id ?? `toolu_${this.#answerId}_${index}`), name: name ?? '' },
      { kind: 'call', index, text: '', isWhole: false },
    )
  }

  #open(block: OpenBlock, current: Current): void {
    this.#close()
    this.#sink.open(block)
    this.#current = current
  }

  #close(): void {
    if (this.#current !== undefined) this.#sink.close()
    this.#current = undefined
  }
}

function isEmpty(event: BlockEvent): boolean {
  return event.type !== 'tool-call' && event.text === '' && !('signature' in event || 'redacted' in event)
}

/** Whether a call's arguments are a JSON object with nothing missing. */
function isWhole(call: Extract<Current, { kind: 'call' }>): boolean {
  if (call.isWhole || !call.text.trimEnd().endsWith('}')) return call.isWhole
  try {
    JSON.parse(call.text)
    call.isWhole = true
  } catch {
    // More of it is to come.
  }
  return call.isWhole
}
