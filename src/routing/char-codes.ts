/**
 * UTF-16 codes of a text in an array that is used again and again. A text that was cut out of a body is a view into it, and each
 * `charCodeAt` would look through that view; copied once, a pass over it takes half the time.
 */
export class CharCodes {
  length = 0
  codes: Uint16Array = new Uint16Array(1024)
  #bytes = Buffer.from(this.codes.buffer)

  /** A blank and a zero stand behind the text, so that a pass may look ahead without a test for the end. */
  read(text: string): void {
    this.length = text.length
    if (this.codes.length < text.length + 2) {
      this.codes = new Uint16Array(text.length + 2)
      this.#bytes = Buffer.from(this.codes.buffer)
    }
    this.#bytes.write(text, 'utf16le')
    this.codes[text.length] = 32
    this.codes[text.length + 1] = 0
  }
}
