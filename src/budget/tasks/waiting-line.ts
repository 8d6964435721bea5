/** Calls that wait for room in a book, in the order of their arrival. */
export class WaitingLines {
  readonly #lines = new Map<string, Place[]>()

  /** Whether somebody waits for this book already: who comes now stands behind. */
  isBusy(book: string): boolean {
    return this.#lines.has(book)
  }

  /** Books that somebody waits for. */
  busy(): readonly string[] {
    return [...this.#lines.keys()]
  }

  join(book: string): Place {
    const line = this.#lines.get(book) ?? []
    const place = new Place(() => this.#leave(book, place))
    line.push(place)
    this.#lines.set(book, line)
    return place
  }

  /** Something became free in the book: the first in its line looks again. */
  freed(book: string): void {
    this.#lines.get(book)?.[0]?.call()
  }

  isFirst(book: string, place: Place): boolean {
    return this.#lines.get(book)?.[0] === place
  }

  #leave(book: string, place: Place): void {
    const line = this.#lines.get(book) ?? []
    const index = line.indexOf(place)
    if (index < 0) return
    line.splice(index, 1)
    if (line.length === 0) this.#lines.delete(book)
    // What the first left over may do for the next.
    else if (index === 0) line[0]?.call()
  }
}

export class Place {
  readonly #leave: () => void
  #isCalled = false
  #wake: (() => void) | undefined

  constructor(leave: () => void) {
    this.#leave = leave
  }

  call(): void {
    this.#isCalled = true
    this.#wake?.()
  }

  /** Resolves with true when called (also if that was before), with false after `ms` or when the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isCalled && ms > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          this.#wake = undefined
          resolve()
        }
        const timer = setTimeout(done, ms)
        signal.addEventListener('abort', done, { once: true })
        this.#wake = done
      })
    }
    const wasCalled = this.#isCalled
    this.#isCalled = false
    return wasCalled
  }

  leave(): void {
    this.#leave()
  }
}
