import { StringDecoder } from 'node:string_decoder'
import { SwitchyardError } from '../shared/errors.ts'

/** Longest event that is taken from an upstream, in characters; one token with 20 alternatives is about 4 KiB. */
export const MAX_EVENT_CHARS: number = 1024 * 1024

const FIELD = 'data: '

/** Whether a text is exactly one event of one line of data, as engines write each token. */
function isOneEvent(text: string): boolean {
  return (
    text.length > FIELD.length + 2 &&
    text.startsWith(FIELD) &&
    text.indexOf('\n') === text.length - 2 &&
    text.endsWith('\n') &&
    !text.includes('\r')
  )
}

/**
 * Decodes server-sent events (WHATWG HTML, section 9.2.6) from bytes that may be cut anywhere: inside a character, between CR
 * and LF, inside a field name. Comments, ids and retry times are read over.
 */
export class SseDecoder {
  readonly #onEvent: (data: string, event: string) => void
  readonly #maxChars: number
  readonly #utf8 = new StringDecoder('utf8')
  #pending = ''
  #isFirst = true
  /** The last piece ended in CR: a LF that follows belongs to it. */
  #afterCr = false
  #data: string | undefined
  #event = ''

  /** `onEvent` gets the data (lines joined by LF) and the event's name (empty if none). */
  constructor(onEvent: (data: string, event: string) => void, maxChars: number = MAX_EVENT_CHARS) {
    this.#onEvent = onEvent
    this.#maxChars = maxChars
  }

  /** Takes the next bytes. Throws `upstream_event_too_large`. */
  feed(bytes: Buffer): void {
    let text = this.#utf8.write(bytes)
    if (text === '') return
    if (this.#isFirst) {
      this.#isFirst = false
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    if (this.#afterCr) {
      this.#afterCr = false
      if (text.startsWith('\n')) text = text.slice(1)
    }
    if (this.#pending === '' && this.#data === undefined && this.#event === '' && isOneEvent(text)) {
      this.#onEvent(text.slice(FIELD.length, -2), '')
      return
    }
    this.#lines(this.#pending === '' ? text : this.#pending + text)
    if (this.#pending.length + (this.#data?.length ?? 0) > this.#maxChars) {
      throw new SwitchyardError(
        'upstream_event_too_large',
        'The model server sent an event that is too large to relay.',
      )
    }
  }

  /** An event has begun and not ended. */
  get isMidEvent(): boolean {
    return this.#pending !== '' || this.#data !== undefined
  }

  /** The stream is over: an event that lacks only its blank line still counts (many servers forget it). */
  end(): void {
    const rest = this.#pending + this.#utf8.end()
    this.#pending = ''
    if (rest !== '') this.#line(rest)
    this.#dispatch()
  }

  #lines(text: string): void {
    let start = 0
    // Most servers use LF alone; then one search per line is enough.
    const hasCr = text.includes('\r')
    for (;;) {
      let end = text.indexOf('\n', start)
      if (hasCr) {
        const cr = text.indexOf('\r', start)
        if (cr >= 0 && (end < 0 || cr < end)) {
          this.#line(text.slice(start, cr))
          if (cr + 1 === text.length) {
            this.#afterCr = true
            start = text.length
            break
          }
          start = text.charCodeAt(cr + 1) === 0x0a ? cr + 2 : cr + 1
          continue
        }
      }
      if (end < 0) break
      this.#line(text.slice(start, end))
      start = end + 1
      end = 0
    }
    this.#pending = start === 0 ? text : text.slice(start)
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    if (line.startsWith('data:')) {
      const value = line.charCodeAt(5) === 0x20 ? line.slice(6) : line.slice(5)
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    } else if (line.startsWith('event:')) {
      this.#event = line.charCodeAt(6) === 0x20 ? line.slice(7) : line.slice(6)
    } else if (line === 'data') {
      this.#data = this.#data === undefined ? '' : `${this.#data}\n`
    }
  }

  #dispatch(): void {
    const data = this.#data
    const event = this.#event
    this.#data = undefined
    this.#event = ''
    if (data !== undefined && data !== '') this.#onEvent(data, event)
  }
}
