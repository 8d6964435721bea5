import { addUsd, toNanoUsd, ZERO_USD, type NanoUsd } from '../../shared/money.ts'
import type { BookedAttempt } from '../ledger/books.ts'
import { EVIDENCE } from './fold.ts'
import type { JournaledLedger } from '../ledger/journaled-ledger.ts'
import type { AttemptNote, AttemptTokens, Line } from '../ledger/ledger.ts'

/** What somebody found out about an attempt of which nobody knew what it cost. */
export interface Settlement {
  readonly id: string
  readonly cost: NanoUsd
  /** Where that is known from: the line of an invoice, a provider's usage export, an answer of its support. */
  readonly evidence: string
  /** Known tokens; otherwise what was held of them counts as used, and none where nothing was billed. */
  readonly tokens: AttemptTokens | undefined
}

export interface UnresolvedAttempt extends AttemptNote {
  readonly id: string
  readonly hold: NanoUsd
}

/** Who settled an attempt, when, at what, and why. */
export interface Evidence extends UnresolvedAttempt {
  readonly cost: NanoUsd
  readonly evidence: string
  readonly by: string
  /** Unix milliseconds. */
  readonly settledMs: number
}

/** `same` = it was settled at this cost before; nothing was booked twice. */
export type Settled =
  | { readonly id: string; readonly outcome: 'settled' | 'same'; readonly hold: NanoUsd; readonly cost: NanoUsd }
  | { readonly id: string; readonly outcome: 'refused'; readonly reason: string }

/** The parts of the ledger that are needed: its attempts, and documents that are written with them. */
export type ReconciledLedger = Pick<JournaledLedger, 'books' | 'settle' | 'read' | 'write' | 'written'>

export interface ReconcilerOptions {
  readonly ledger: ReconciledLedger
  /** Documents of a kind, all of them. */
  readonly documents: (kind: string) => readonly string[]
  /** Unix milliseconds. */
  readonly wallNow: () => number
}

/** Settles attempts of which nobody knew what they cost, with evidence that stays with them for as long as they are kept. */
export class Reconciler {
  readonly #options: ReconcilerOptions

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Oldest first. */
  unresolved(): readonly UnresolvedAttempt[] {
    const found = [...this.#options.ledger.books.open()].filter(({ state }) => state === 'unresolved')
    return found.map(shownAttempt).sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
  }

  /** What was settled with evidence, the latest first. */
  evidence(): readonly Evidence[] {
    const found = this.#options.documents(EVIDENCE).map((text) => JSON.parse(text) as Evidence)
    return found.sort((a, b) => b.settledMs - a.settledMs)
  }

  /**
   * Settles each and resolves when it is written down. With `isTrial` nothing is changed and the results say what would be. Throws
   * where it cannot be written: then it stands in memory and is tried again.
   */
  async settle(settlements: readonly Settlement[], by: string, isTrial: boolean): Promise<readonly Settled[]> {
    const { ledger } = this.#options
    const results: Settled[] = []
    const changed: BookedAttempt[] = []
    const seen = new Set<string>()
    for (const each of settlements) {
      const result = seen.has(each.id) ? refused(each.id, 'it stands in the list twice') : this.#judge(each)
      seen.add(each.id)
      results.push(result)
      if (isTrial || result.outcome !== 'settled') continue
      const attempt = ledger.books.find(each.id) as BookedAttempt
      const booked = ledger.settle(each.id, amountsOf(attempt.lines, each), each.tokens)
      if (booked.kind !== 'done') {
        results[results.length - 1] = refused(each.id, booked.kind === 'invalid' ? booked.reason : booked.kind)
        continue
      }
      const { cost, evidence } = each
      const kept: Evidence = { ...shownAttempt(attempt), cost, evidence, by, settledMs: this.#options.wallNow() }
      ledger.write(EVIDENCE, each.id, JSON.stringify(kept))
      changed.push(attempt)
    }
    await ledger.written()
    if (changed.some(({ isDirty }) => isDirty)) throw new Error('The ledger cannot be written at the moment.')
    return results
  }

  #judge({ id, cost }: Settlement): Settled {
    const { ledger } = this.#options
    const text = ledger.read(EVIDENCE, id)
    if (text !== undefined) {
      const before = JSON.parse(text) as Evidence
      if (before.cost === cost) return { id, outcome: 'same', hold: before.hold, cost }
      return refused(id, 'it was settled with other evidence before, which stays')
    }
    const attempt = ledger.books.find(id)
    if (attempt === undefined) return refused(id, 'no unresolved attempt has this id')
    if (attempt.state !== 'unresolved') return refused(id, `it is ${attempt.state}, not unresolved`)
    return { id, outcome: 'settled', hold: shownAttempt(attempt).hold, cost }
  }
}

/** Sum of what attempts hold. */
export function heldBy(attempts: readonly UnresolvedAttempt[]): NanoUsd {
  return attempts.reduce((sum, { hold }) => addUsd(sum, hold), ZERO_USD)
}

/** An attempt as it is shown, with what it holds. */
export function shownAttempt({ id, lines, note }: Pick<BookedAttempt, 'id' | 'lines' | 'note'>): UnresolvedAttempt {
  return { id, hold: toNanoUsd(lines[0]?.amount ?? 0), ...note }
}

/** One amount per line: the cost in every book of money; tokens as far as they are known; the call was made. */
export function amountsOf(
  lines: readonly Line[],
  { cost, tokens }: Pick<Settlement, 'cost' | 'tokens'>,
): readonly number[] {
  return lines.map(({ book, amount }) => {
    if (book.startsWith('task:tokens:'))
      return tokens === undefined ? (cost === 0 ? 0 : amount) : tokens.input + tokens.output
    return book.startsWith('task:calls:') ? amount : cost
  })
}

function refused(id: string, reason: string): Settled {
  return { id, outcome: 'refused', reason }
}
