import type { AnswerChunk, AnswerEvent, Usage } from '../../protocol/answer.ts'
import type { SwitchyardError } from '../../shared/errors.ts'
import type { AnswerDecoder } from '../adapter.ts'
import { StreamDecoder } from '../openai/decode-stream.ts'
import { tgiErrorIn } from './errors.ts'

/** A number is no id: TGI calls every call "0", of which the inner decoder makes "0", "0_2" and so on. */
const NO_ID = /^\d{0,4}(?:_\d{1,4})?$/

/**
 * TGI's chat stream (router 3.3) is OpenAI's but for this: its frames have no id, its errors are its own, calls share the id "0", and
 * after a call there may be no `finish_reason` before `[DONE]`.
 */
export class TgiChatDecoder implements AnswerDecoder {
  readonly #inner: StreamDecoder
  #start: AnswerEvent | undefined
  readonly #answerId: string
  #hasCall = false
  #isEndedByDone = false

  /** `start` says who answers: the frames do not. */
  constructor(requestBytes: number, start: Extract<AnswerEvent, { type: 'start' }>) {
    this.#inner = new StreamDecoder(requestBytes, 1, tgiErrorIn)
    this.#start = start
    this.#answerId = start.id
  }

  get error(): SwitchyardError | undefined {
    return this.#inner.error
  }
  get isDone(): boolean {
    return this.#inner.isDone
  }
  get hasFinish(): boolean {
    return this.#inner.hasFinish || this.#isEndedByDone
  }
  get hasChoices(): boolean {
    return this.#inner.hasChoices
  }
  get isMidEvent(): boolean {
    return this.#inner.isMidEvent
  }

  feed(bytes: Buffer): AnswerChunk | undefined {
    return this.#mended(this.#inner.feed(bytes))
  }

  end(): AnswerChunk | undefined {
    return this.#mended(this.#inner.end())
  }

  usage(): Usage {
    return this.#inner.usage()
  }

  #mended(chunk: AnswerChunk | undefined): AnswerChunk | undefined {
    const events = (chunk?.events ?? []).map((event) => withOwnId(event, this.#answerId))
    this.#hasCall ||= events.some((event) => event.type === 'tool-call')
    if (this.#inner.isDone && this.#hasCall && !this.hasFinish && this.error === undefined) {
      this.#isEndedByDone = true
      events.push({ type: 'finish', choice: 0, reason: 'tool_calls' })
    }
    if (events.length === 0) return undefined
    if (this.#start !== undefined && events[0]?.type !== 'start') events.unshift(this.#start)
    this.#start = undefined
    return { events }
  }
}

/** A call whose id is none of its own gets one that no other call of the conversation has. */
export function withOwnId(event: AnswerEvent, answerId: string): AnswerEvent {
  if (event.type !== 'tool-call' || event.id === undefined || !isNoId(event.id)) return event
  return { ...event, id: `call_${answerId}_${event.choice}_${event.index}` }
}

function isNoId(id: string): boolean {
  // The last is what the decoder makes up where there was none.
  return NO_ID.test(id) || /^call_\d+_\d+$/.test(id)
}
