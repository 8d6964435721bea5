import { styleText } from 'node:util'
import type { Row } from './row.ts'
import type { Result } from './run-list.ts'

/** Prints results as they come: coloured lines and a count on a terminal, plain lines elsewhere. */
export class Output {
  readonly #isTerminal = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  readonly #json: boolean
  readonly #promises: ReadonlyMap<string, string>

  constructor(list: readonly Row[], json: boolean) {
    this.#json = json
    this.#promises = new Map(list.map((row) => [row.id, row.promise]))
  }

  readonly result = (result: Result, done: number, all: number): void => {
    if (this.#json) return
    const mark = result.outcome === 'holds' ? 'yes' : result.outcome === 'broken' ? 'NO' : result.outcome
    const colour = result.outcome === 'holds' ? 'green' : result.outcome === 'broken' ? 'red' : 'yellow'
    const clear = process.stderr.isTTY ? '\r\u001b[K' : ''
    if (clear !== '') process.stderr.write(clear)
    const painted = this.#isTerminal ? styleText(colour, mark.padEnd(8)) : mark.padEnd(8)
    const detail = result.detail === undefined ? '' : ` (${result.detail})`
    console.log(`${painted}${result.id.padEnd(33)}${this.#promises.get(result.id) ?? ''}${detail}`)
    if (clear !== '' && done < all) process.stderr.write(`${done} of ${all} rows`)
  }

  end(gateway: string, setUp: string, results: readonly Result[]): void {
    const count = (outcome: Result['outcome']): number => results.filter((each) => each.outcome === outcome).length
    if (this.#json) console.log(JSON.stringify({ gateway, setUp, results }))
    else {
      const apart = (['not run', 'absent'] as const).filter((each) => count(each) > 0)
      const rest = apart.map((each) => `, ${count(each)} ${each}`).join('')
      console.log(`\n${gateway}: ${count('holds')} of ${count('holds') + count('broken')} rows hold${rest}`)
    }
  }
}
