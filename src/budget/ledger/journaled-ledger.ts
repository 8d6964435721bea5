import { Books, type BookedAttempt } from './books.ts'
import type { Flush } from './commit-pace.ts'
import type { Batch, DocumentRow, Journal } from './journal.ts'
import type { AttemptLedger, AttemptTokens, Balance, Reservation, ReserveResult, StepResult } from './ledger.ts'

/** How long what could not be written waits before it is tried again without being asked, ms. */
const RETRY_MS = 500

export interface JournaledLedgerOptions {
  /**
   * Runs `flush` soon: after this turn of the event loop where somebody waits for it. `setImmediate` serves, `commitPace` serves better.
   * `flush` says how many reservations it has written.
   */
  readonly defer: (flush: Flush, isWaitedFor: boolean) => void
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
  readonly attempt: BookedAttempt
  readonly isReservation: boolean
  readonly resolve: (problem: string | undefined) => void
}

/**
 * The ledger of one process: decided in memory, written ahead to a journal. A reservation resolves when it is written down, so that
 * nothing is sent that a crash could forget; all that one turn of the event loop reserves is written at once, appended to a log where
 * the journal has one. Everything else waits for company and goes to its rows together.
 */
export class JournaledLedger implements AttemptLedger {
  readonly books: Books
  readonly #journal: Journal
  readonly #options: JournaledLedgerOptions
  /** What has changed since it was last written to its rows. Lists, as a Set that is filled anew with each commit costs more than it saves. */
  #attempts: BookedAttempt[] = []
  #documents = new Map<string, DocumentRow>()
  /** Documents and ends of attempts that are in no log yet. */
  #freshDocuments: DocumentRow[] = []
  #freshEnds: BookedAttempt[] = []
  /** Who waits for reservations. */
  #reserving: Waiting[] = []
  /** Who waits for later steps. */
  #waiting: Waiting[] = []
  #isDueSoon = false
  #isDueLater = false
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
    // A replay waits for the same write, and a late one for none.
    if (attempt === undefined || attempt.isSafe) return Promise.resolve(result)
    this.#list(attempt)
    return new Promise((resolve) => {
      this.#reserving.push({
        attempt,
        isReservation: result.kind === 'admitted',
        resolve: (problem) => resolve(problem === undefined ? result : { kind: 'unavailable', reason: problem }),
      })
      this.#schedule()
    })
  }

  sent(id: string): Promise<StepResult> {
    const attempt = this.books.find(id)
    const result = this.#step(id, (books) => books.sent(id))
    if (result.kind !== 'done' || attempt === undefined) return Promise.resolve(result)
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        attempt,
        isReservation: false,
        resolve: (problem) => (problem === undefined ? resolve(result) : reject(new Error(problem))),
      })
      this.#schedule()
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
    const document = { kind, id, text }
    this.#documents.set(`${kind} ${id}`, document)
    this.#freshDocuments.push(document)
    this.#schedule()
  }

  /** The document as it will be after the next commit. */
  read(kind: string, id: string): string | undefined {
    return this.#documents.get(`${kind} ${id}`)?.text ?? this.#journal.document(kind, id)
  }

  /** Resolves when everything is written to its rows, or at once where the journal is in trouble. */
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
    if (this.#hasWork()) await this.#commit()
  }

  #step(id: string, step: (books: Books) => StepResult): StepResult {
    const attempt = this.books.find(id)
    const result = step(this.books)
    if (result.kind !== 'done' || attempt === undefined) return result
    this.#list(attempt)
    this.#schedule()
    if (attempt.state === 'settled' || attempt.state === 'voided') this.#freshEnds.push(attempt)
    // What was held is free now, or is known to be spent: whoever waits for it can look.
    if (attempt.state !== 'sent') this.#options.onFreed?.(attempt)
    return result
  }

  #list(attempt: BookedAttempt): void {
    if (attempt.isListed) return
    attempt.isListed = true
    this.#attempts.push(attempt)
  }

  #schedule(): void {
    if (this.#isCommitting || this.#isDueSoon) return
    if (this.#reserving.length > 0 || this.#mustCommit()) {
      this.#isDueSoon = true
      this.#options.defer(() => {
        this.#isDueSoon = false
        const { length } = this.#reserving
        this.#flush()
        return length
      }, true)
    } else if (!this.#isDueLater) {
      this.#isDueLater = true
      this.#options.defer(() => {
        this.#isDueLater = false
        void this.#commit()
        return 0
      }, false)
    }
  }

  /** Whether somebody waits for rows to be written. */
  #mustCommit(): boolean {
    return this.#waiting.length > 0 || this.#idle.length > 0
  }

  #hasWork(): boolean {
    return this.#attempts.length > 0 || this.books.hasDirty || this.#documents.size > 0
  }

  /** Does what is waited for. */
  #flush(): void {
    if (this.#journal.append === undefined || this.#mustCommit()) void this.#commit()
    else if (this.#reserving.length > 0) this.#append()
  }

  /** Reservations are safe in the log; their rows are written later, most of them once and for all. */
  #append(): void {
    const reserving = this.#reserving
    const documents = this.#freshDocuments
    const ended = this.#freshEnds
    this.#reserving = []
    this.#freshDocuments = []
    this.#freshEnds = []
    const attempts: BookedAttempt[] = []
    for (const { attempt, isReservation } of reserving) if (isReservation) attempts.push(attempt)
    try {
      this.#journal.append?.({ reserved: attempts, ended, documents })
    } catch (error) {
      this.#freshDocuments = documents
      this.#freshEnds = ended
      this.#failed(error)
      this.#refuse(reserving, error)
      this.#over()
      return
    }
    for (const attempt of attempts) attempt.isSafe = true
    this.#worked()
    for (const { resolve } of reserving) resolve(undefined)
    this.#schedule()
  }

  /** Writes all that has changed to its rows. Never rejects. */
  #commit(): Promise<void> | undefined {
    // What is under way ends with a look at what has come meanwhile.
    if (this.#isCommitting) return undefined
    if (!this.#hasWork()) {
      this.#settleIdle()
      return undefined
    }
    const attempts: BookedAttempt[] = []
    for (const attempt of this.#attempts) {
      attempt.isListed = false
      // A reservation that could not be written down is forgotten.
      if (!attempt.isDirty) continue
      attempt.isDirty = false
      attempts.push(attempt)
    }
    const taken = { documents: this.#documents, reserving: this.#reserving, waiting: this.#waiting }
    const books = this.books.takeDirty()
    this.#attempts = []
    this.#documents = new Map()
    this.#freshDocuments = []
    this.#freshEnds = []
    this.#reserving = []
    this.#waiting = []
    this.#isCommitting = true
    const batch: Batch = { attempts, books, documents: [...taken.documents.values()] }
    const succeed = (rows: readonly number[]): void => {
      for (let index = 0; index < attempts.length; index++) {
        const attempt = attempts[index] as BookedAttempt
        attempt.row = rows[index]
        attempt.isSafe = true
      }
      this.#worked()
      for (const { resolve } of taken.reserving) resolve(undefined)
      for (const { resolve } of taken.waiting) resolve(undefined)
      this.#over()
    }
    const fail = (error: unknown): void => {
      this.#failed(error)
      // Nothing of it was written: reservations are taken back, everything else is tried again.
      for (const attempt of attempts) attempt.isDirty = true
      for (const book of books) this.books.soil(book)
      for (const [key, document] of taken.documents) {
        if (this.#documents.has(key)) continue
        this.#documents.set(key, document)
        this.#freshDocuments.push(document)
      }
      this.#refuse(taken.reserving, error)
      for (const attempt of attempts) {
        if (!attempt.isDirty) continue
        this.#list(attempt)
        if (attempt.state === 'settled' || attempt.state === 'voided') this.#freshEnds.push(attempt)
      }
      for (const { resolve } of taken.waiting) resolve(messageOf(error))
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

  /** Takes reservations back that could not be written down. */
  #refuse(reserving: readonly Waiting[], error: unknown): void {
    for (const { attempt, isReservation } of reserving) {
      if (!isReservation || this.books.find(attempt.id) !== attempt) continue
      this.books.forget(attempt.id)
      this.#options.onFreed?.(attempt)
    }
    for (const { resolve } of reserving) resolve(messageOf(error))
  }

  #failed(error: unknown): void {
    this.#options.onTrouble?.(error)
    this.#isInTrouble = true
  }

  #worked(): void {
    if (this.#isInTrouble) this.#options.onTrouble?.(undefined)
    this.#isInTrouble = false
  }

  #over(): void {
    this.#isCommitting = false
    if (!this.#hasWork() || (this.#isInTrouble && this.#reserving.length + this.#waiting.length === 0)) {
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
