/**
 * UTF-16 codes of a text in an array that is used again and again. A text that was cut out of a body is a view into it, and each
 * `charCodeAt` would look through that view; copied once, a pass over it takes half the time.
 */
export class CharCodes {
  length = 0
  codes: Uint16Array = new Uint16Array(1024)
  #bytes = Buffer.from(this.codes.buffer)

  read(text: string): void {
    this.length = text.length
    if (this.codes.length < text.length) {
      this.codes = new Uint16Array(text.length)
      this.#bytes = Buffer.from(this.codes.buffer)
    }
    this.#bytes.write(text, 'utf16le')
  }
}
