/**
 * Says on stderr what a long run is doing. On a terminal one line is rewritten in place; elsewhere (a log file, CI) each
 * step is its own plain line. Nothing goes to stdout: that is for the table.
 */
export class Progress {
  readonly #total: number
  readonly #started = performance.now()
  #done = 0

  constructor(total: number) {
    this.#total = total
  }

  /** Announces a step before it runs. */
  step(what: string): void {
    this.#done += 1
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(0)
    const line = `[${this.#done}/${this.#total}] ${seconds} s  ${what}`
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${line}`)
    else process.stderr.write(`${line}\n`)
  }

  /** A remark that stays. */
  note(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[2K${text}\n` : `${text}\n`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
  }
}
