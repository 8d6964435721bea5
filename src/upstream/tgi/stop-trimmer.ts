/**
 * Takes a stop sequence off the end of a streamed text: TGI's native route sends the sequence that it stopped at, callers do not want
 * it. What may be the beginning of one is held back until it is known.
 */
export class StopTrimmer {
  readonly #stops: readonly string[]
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  /** The part of the text that is certain to be seen. */
  push(text: string): string {
    if (this.#stops.length === 0) return text
    const all = this.#held + text
    const kept = this.#possible(all)
    this.#held = all.slice(all.length - kept)
    return all.slice(0, all.length - kept)
  }

  /** The rest. @param isStopped The answer ended at one of the sequences. */
  end(isStopped: boolean): string {
    const rest = this.#held
    this.#held = ''
    if (!isStopped) return rest
    const longest = this.#stops.filter((stop) => rest.endsWith(stop)).toSorted((a, b) => b.length - a.length)[0]
    return longest === undefined ? rest : rest.slice(0, rest.length - longest.length)
  }

  /** Length of the longest end of the text that is a beginning of a stop sequence, or one whole. */
  #possible(text: string): number {
    let most = 0
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length, text.length); length > most; length--) {
        if (text.endsWith(stop.slice(0, length))) {
          most = length
          break
        }
      }
    }
    return most
  }
}
