import { Books, type Book, type BookedAttempt } from './books.ts'
import type { Batch, DocumentRow, Journal } from './journal.ts'
import type { AttemptLedger, AttemptTokens, Balance, Reservation, ReserveResult, StepResult } from './ledger.ts'

/** How long what could not be written waits before it is tried again without being asked, ms. */
const RETRY_MS = 500

export interface JournaledLedgerOptions {
  /** Runs `flush` soon: after this turn of the event loop where somebody waits for it. `setImmediate` serves, `commitPace` serves better. */
  readonly defer: (flush: () => void, isWaitedFor: boolean) => void
  /** Hears about commits that failed, and about the first that works again (undefined). */
  readonly onTrouble?: (error: unknown) => void
  /** Called with an attempt that holds nothing any more. */
  readonly onFreed?: (attempt: BookedAttempt) => void
}

export interface Recovered {
  /** Reserved and never sent: given back. */
  readonly voided: number
  /** Sent by the process before this one: their holds count as spent. */
  readonly unresolved: number
}

interface Waiting {
  readonly id: string
  readonly isReservation: boolean
  readonly resolve: (problem: string | undefined) => void
}

/**
 * The ledger of one process: decided in memory, written ahead to a journal. Everything that one turn of the event loop reserves
 * goes into one commit; a reservation resolves when its commit is through, so nothing is sent that a crash could forget.
 */
export class JournaledLedger implements AttemptLedger {
  readonly books: Books
  readonly #journal: Journal
  readonly #options: JournaledLedgerOptions
  #attempts = new Set<BookedAttempt>()
  #dirtyBooks = new Set<Book>()
  #documents = new Map<string, DocumentRow>()
  #waiting: Waiting[] = []
  #scheduled: 'no' | 'lazy' | 'soon' = 'no'
  #isCommitting = false
  #isInTrouble = false
  #idle: (() => void)[] = []

  /** Takes over what an earlier process left: see `recovered`. */
  readonly recovered: Recovered

  constructor(journal: Journal, options: JournaledLedgerOptions) {
    this.#journal = journal
    this.#options = options
    this.books = new Books((book) => journal.settledIn(book))
    const recovered = { voided: 0, unresolved: 0 }
    for (const { row, attempt } of journal.openAttempts()) {
      this.books.restore(row, attempt)
      if (attempt.state === 'unresolved') continue
      if (attempt.state === 'reserved') recovered.voided += 1
      else recovered.unresolved += 1
      this.#step(attempt.id, (books) =>
        attempt.state === 'reserved' ? books.void(attempt.id) : books.unresolve(attempt.id),
      )
    }
    this.recovered = recovered
  }

  reserve(reservation: Reservation): Promise<ReserveResult> {
    let result: ReserveResult
    try {
      result = this.books.reserve(reservation)
    } catch (error) {
      // A book could not be read.
      return Promise.resolve({ kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) })
    }
    if (result.kind !== 'admitted' && result.kind !== 'replayed') return Promise.resolve(result)
    const attempt = this.books.find(reservation.id)
    // A replay waits for the same commit, and a late one for none.
    if (attempt === undefined || (result.kind === 'replayed' && !attempt.isDirty)) return Promise.resolve(result)
    this.#attempts.add(attempt)
    return new Promise((resolve) => {
      this.#wait(reservation.id, result.kind === 'admitted', (problem) =>
        resolve(problem === undefined ? result : { kind: 'unavailable', reason: problem }),
      )
    })
  }

  sent(id: string): Promise<StepResult> {
    const result = this.#step(id, (books) => books.sent(id))
    if (result.kind !== 'done') return Promise.resolve(result)
    return new Promise((resolve, reject) => {
      this.#wait(id, false, (problem) => (problem === undefined ? resolve(result) : reject(new Error(problem))))
    })
  }

  settle(id: string, amounts: readonly number[], tokens?: AttemptTokens): StepResult {
    return this.#step(id, (books) => books.settle(id, amounts, tokens))
  }

  void(id: string): StepResult {
    return this.#step(id, (books) => books.void(id))
  }

  unresolve(id: string): StepResult {
    return this.#step(id, (books) => books.unresolve(id))
  }

  balance(book: string): Balance {
    return this.books.balance(book)
  }

  /** Writes a document with the next commit. */
  write(kind: string, id: string, text: string): void {
    this.#documents.set(`${kind} ${id}`, { kind, id, text })
    this.#schedule()
  }

  /** The document as it will be after the next commit. */
  read(kind: string, id: string): string | undefined {
    return this.#documents.get(`${kind} ${id}`)?.text ?? this.#journal.document(kind, id)
  }

  /** Resolves when everything is written down, or at once where the journal is in trouble. */
  written(): Promise<void> {
    if (!this.#hasWork() && !this.#isCommitting) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#schedule()
    })
  }

  /** Writes what is still in memory; what it cannot write stays with the caller to report. */
  async close(): Promise<void> {
    await this.written()
    if (this.#hasWork()) await this.#flush()
  }

  #step(id: string, step: (books: Books) => StepResult): StepResult {
    const attempt = this.books.find(id)
    const result = step(this.books)
    if (result.kind !== 'done' || attempt === undefined) return result
    this.#attempts.add(attempt)
    if (attempt.state === 'settled') for (const book of attempt.books) this.#dirtyBooks.add(book)
    this.#schedule()
    // What was held is free now, or is known to be spent: whoever waits for it can look.
    if (attempt.state !== 'sent') this.#options.onFreed?.(attempt)
    return result
  }

  #wait(id: string, isReservation: boolean, resolve: Waiting['resolve']): void {
    this.#waiting.push({ id, isReservation, resolve })
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isCommitting) return
    const isWaitedFor = this.#waiting.length > 0 || this.#idle.length > 0
    if (this.#scheduled === 'soon' || (this.#scheduled === 'lazy' && !isWaitedFor)) return
    this.#scheduled = isWaitedFor ? 'soon' : 'lazy'
    this.#options.defer(() => {
      // Somebody came who could not wait, and it is done.
      if (this.#scheduled === 'no') return
      this.#scheduled = 'no'
      void this.#flush()
    }, isWaitedFor)
  }

  #hasWork(): boolean {
    return this.#attempts.size > 0 || this.#dirtyBooks.size > 0 || this.#documents.size > 0
  }

  /** Commits all that is dirty. Never rejects. */
  #flush(): Promise<void> | undefined {
    // What is under way ends with a look at what has come meanwhile.
    if (this.#isCommitting) return undefined
    if (!this.#hasWork()) {
      this.#settleIdle()
      return undefined
    }
    const taken = {
      attempts: this.#attempts,
      books: this.#dirtyBooks,
      documents: this.#documents,
      waiting: this.#waiting,
    }
    this.#attempts = new Set()
    this.#dirtyBooks = new Set()
    this.#documents = new Map()
    this.#waiting = []
    this.#isCommitting = true
    const attempts = [...taken.attempts]
    for (const attempt of attempts) attempt.isDirty = false
    const batch: Batch = {
      attempts,
      books: [...taken.books],
      documents: [...taken.documents.values()],
    }
    for (const book of taken.books) book.isDirty = false
    const succeed = (rows: readonly number[]): void => {
      for (const [index, attempt] of attempts.entries()) attempt.row = rows[index]
      if (this.#isInTrouble) this.#options.onTrouble?.(undefined)
      this.#isInTrouble = false
      for (const { resolve } of taken.waiting) resolve(undefined)
      this.#over()
    }
    const fail = (error: unknown): void => {
      this.#options.onTrouble?.(error)
      this.#isInTrouble = true
      const reason = error instanceof Error ? error.message : String(error)
      // Nothing of it was written: reservations are taken back, everything else is tried again.
      for (const { id, isReservation } of taken.waiting) {
        if (!isReservation) continue
        const attempt = this.books.find(id)
        if (attempt === undefined) continue
        taken.attempts.delete(attempt)
        this.books.forget(id)
        this.#options.onFreed?.(attempt)
      }
      for (const attempt of taken.attempts) this.#again(attempt)
      for (const book of taken.books) {
        book.isDirty = true
        this.#dirtyBooks.add(book)
      }
      for (const [key, document] of taken.documents) if (!this.#documents.has(key)) this.#documents.set(key, document)
      for (const { resolve } of taken.waiting) resolve(reason)
      this.#over()
    }
    try {
      const rows = this.#journal.commit(batch)
      if (!(rows instanceof Promise)) {
        succeed(rows)
        return undefined
      }
      return rows.then(succeed, fail)
    } catch (error) {
      fail(error)
      return undefined
    }
  }

  #again(attempt: BookedAttempt): void {
    attempt.isDirty = true
    this.#attempts.add(attempt)
  }

  #over(): void {
    this.#isCommitting = false
    if (!this.#hasWork() || (this.#isInTrouble && this.#waiting.length === 0)) {
      this.#settleIdle()
      if (this.#hasWork()) setTimeout(() => this.#schedule(), RETRY_MS).unref()
      return
    }
    this.#schedule()
  }

  #settleIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
