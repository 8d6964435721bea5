/** How soon is told again what Redis did not hear, ms. */
const AGAIN_MS = 1000

/**
 * Calls that this gateway has under way, by name, as it tells the others. It says how many they are rather than one more or less, so that
 * a message that was lost is made good by the next; messages are numbered, as they may arrive in another order than they were sent in,
 * and then the last that was sent counts.
 */
export class CallsUnderWay {
  readonly #running = new Map<string, number>()
  readonly #untold = new Set<string>()
  #messages = 0

  /** Returns how many there are now. */
  change(name: string, by: number): number {
    const running = (this.#running.get(name) ?? 0) + by
    if (running === 0) this.#running.delete(name)
    else this.#running.set(name, running)
    return running
  }

  /** How many there are, as an argument of a script. */
  of(name: string): string {
    return String(this.#running.get(name) ?? 0)
  }

  nextNumber(): string {
    this.#messages += 1
    return String(this.#messages)
  }

  /** Tells it again in a while; what is waiting for that already stands for this as well. */
  again(name: string, tell: () => void): void {
    if (this.#untold.has(name)) return
    this.#untold.add(name)
    setTimeout(() => {
      this.#untold.delete(name)
      tell()
    }, AGAIN_MS).unref()
  }
}
