import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682

/**
 * Looks for damage in the middle of a write-ahead log. SQLite itself reads a log up to the first frame that does not check and
 * forgets what follows, which is right for a tail that was cut off and wrong for a flipped bit: commits after it would silently
 * be lost. File format: https://sqlite.org/fileformat2.html, section 4.
 * Returns what is wrong, or undefined for a log that is whole, absent or only lacks its end.
 */
export function findWalDamage(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const header = Buffer.alloc(HEADER_BYTES)
    if (size < HEADER_BYTES || readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined
    const magic = header.readUInt32BE(0)
    if (magic !== MAGIC && magic !== MAGIC + 1) return 'the head of its write-ahead log is not readable'
    const isBigEndian = magic === MAGIC + 1
    const pageBytes = header.readUInt32BE(8)
    if (pageBytes < 512 || pageBytes > 65_536) return 'the head of its write-ahead log is not readable'
    const sum = new Checksum(isBigEndian)
    sum.add(header, 0, 24)
    if (!sum.equals(header, 24)) return 'the head of its write-ahead log does not check'
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageBytes)
    let broken: number | undefined
    for (let at = HEADER_BYTES, number = 1; at + frame.length <= size; at += frame.length, number++) {
      readSync(file, frame, 0, frame.length, at)
      // Frames of an earlier round of the log carry another salt: the log in use ends here.
      const isCurrent = frame.compare(header, 16, 24, 8, 16) === 0
      if (broken !== undefined) {
        const isCommit = frame.readUInt32BE(4) !== 0
        if (isCurrent && isCommit)
          return `frame ${broken} of its write-ahead log does not check, and later commits follow it`
        continue
      }
      if (isCurrent) {
        sum.add(frame, 0, 8)
        sum.add(frame, FRAME_HEADER_BYTES, pageBytes)
      }
      if (!isCurrent || !sum.equals(frame, 16)) broken = number
    }
    return undefined
  } finally {
    closeSync(file)
  }
}

/** The running checksum of a write-ahead log: over pairs of 32-bit words, each sum feeding the other. */
class Checksum {
  #first = 0
  #second = 0
  readonly #isBigEndian: boolean

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian
  }

  add(bytes: Buffer, from: number, length: number): void {
    for (let at = from; at < from + length; at += 8) {
      this.#first = (this.#first + this.#word(bytes, at) + this.#second) >>> 0
      this.#second = (this.#second + this.#word(bytes, at + 4) + this.#first) >>> 0
    }
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second
  }

  #word(bytes: Buffer, at: number): number {
    return this.#isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
  }
}
