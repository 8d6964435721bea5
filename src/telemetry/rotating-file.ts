import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { LineBuffer } from '../shared/line-buffer.ts'
import type { LineSink } from './event-log.ts'

const FLUSH_MS = 200
const FLUSH_BYTES = 64 * 1024
/** Lines that wait for a disk that is full; beyond them they are dropped. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024

export interface RotatingFileOptions {
  /** Largest size of both files together, bytes. */
  readonly maxBytes: number
  /** Hears of the first failed write and of the first that works again (undefined). */
  readonly onTrouble: (error: unknown) => void
}

/**
 * A log file of bounded size: at half of `maxBytes` it becomes `PATH.1`, in the place of the one before. Written in batches, so that a
 * line costs no system call; a full disk costs lines and never an answer.
 */
export class RotatingFile implements LineSink {
  readonly path: string
  readonly #options: RotatingFileOptions
  readonly #timer: NodeJS.Timeout
  #file: number | undefined
  #bytes = 0
  readonly #pending = new LineBuffer(FLUSH_BYTES * 2, MAX_PENDING_BYTES)
  #isInTrouble = false
  #isPaused = false

  constructor(path: string, options: RotatingFileOptions) {
    this.path = path
    this.#options = options
    this.#timer = setInterval(() => this.flush(), FLUSH_MS)
    this.#timer.unref()
  }

  write(line: string): void {
    if (this.#pending.add(line) && this.#pending.length >= FLUSH_BYTES) this.flush()
  }

  flush(): void {
    if (this.#pending.length === 0 || this.#isPaused) return
    const bytes = this.#pending.view()
    try {
      this.#file ??= this.#open()
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.maxBytes / 2) this.#rotate()
      writeSync(this.#file, bytes)
      this.#bytes += bytes.length
      this.#pending.clear()
      if (this.#isInTrouble) this.#options.onTrouble(undefined)
      this.#isInTrouble = false
    } catch (error) {
      if (!this.#isInTrouble) this.#options.onTrouble(error)
      this.#isInTrouble = true
    }
  }

  /** Runs work that may replace the files: everything is in them, and lines wait in memory until it is done. */
  async paused<T>(work: () => Promise<T>): Promise<T> {
    this.flush()
    this.#release()
    this.#isPaused = true
    try {
      return await work()
    } finally {
      this.#isPaused = false
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.flush()
    this.#release()
  }

  #open(): number {
    mkdirSync(dirname(this.path), { recursive: true })
    const file = openSync(this.path, 'a', 0o600)
    this.#bytes = fstatSync(file).size
    return file
  }

  #release(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #rotate(): void {
    this.#release()
    renameSync(this.path, `${this.path}.1`)
    this.#file = this.#open()
  }
}
