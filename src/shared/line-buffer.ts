/** Longest UTF-8 form of one UTF-16 code unit, bytes. */
const BYTES_PER_UNIT = 3

/**
 * Lines that wait to be written, as bytes. A string that is put together piece by piece keeps all its pieces while it waits, and
 * the garbage collector moves them; bytes outside its heap cost one copy.
 */
export class LineBuffer {
  readonly #maxBytes: number
  #bytes: Buffer
  #length = 0

  /** Starts with room for `startBytes` and grows up to `maxBytes`. */
  constructor(startBytes: number, maxBytes: number = startBytes) {
    this.#bytes = Buffer.allocUnsafe(startBytes)
    this.#maxBytes = maxBytes
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#length
  }

  /** Adds a line. False = there is no room for it, and it is left out. */
  add(line: string): boolean {
    if (!this.#makeRoom(line.length * BYTES_PER_UNIT)) return false
    this.#length += this.#bytes.write(line, this.#length)
    return true
  }

  /** What waits: a view that the next `add` or `clear` changes. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  #makeRoom(bytes: number): boolean {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return true
    if (needed > this.#maxBytes) return false
    const grown = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2)))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    return true
  }
}
