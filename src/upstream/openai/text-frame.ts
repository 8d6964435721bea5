const FIELD = '"content":"'
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/**
 * The form of a stream's plain text frames, learnt from one that was parsed and checked: engines send the same bytes again and again
 * but for the token. A frame with the same bytes before and after its content needs no parsing to know what it says.
 */
export class TextFrame {
  readonly #before: string
  readonly #after: string

  private constructor(before: string, after: string) {
    this.#before = before
    this.#after = after
  }

  /** `data` is a frame that says `content` in its one choice; undefined where that place in it is not certain. */
  static learn(data: string, content: string): TextFrame | undefined {
    const at = data.indexOf(FIELD)
    // A quote inside a JSON string is escaped, so the field's name in quotes is always a field; two of them would be ambiguous.
    if (at < 0 || data.includes('content"', at + FIELD.length)) return undefined
    const start = at + FIELD.length
    const end = start + content.length
    // Where the content has escapes the text there is another one.
    if (data.slice(start, end) !== content || data.charCodeAt(end) !== QUOTE) return undefined
    return new TextFrame(data.slice(0, start), data.slice(end))
  }

  /** The content of a frame of this form; undefined = parse it. */
  contentOf(data: string): string | undefined {
    const start = this.#before.length
    const end = data.length - this.#after.length
    // Compared as slices: `startsWith` and `endsWith` go character by character and take longer than a whole parse.
    if (end <= start || data.slice(0, start) !== this.#before || data.slice(end) !== this.#after) return undefined
    for (let i = start; i < end; i++) {
      const code = data.charCodeAt(i)
      if (code === QUOTE || code === BACKSLASH || code < SPACE) return undefined
    }
    return data.slice(start, end)
  }
}
