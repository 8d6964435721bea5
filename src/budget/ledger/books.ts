import { IdTable } from '../../shared/id-table.ts'
import { EndedAttempts } from './ended-attempts.ts'
import {
  isAmount,
  type AttemptNote,
  type AttemptState,
  type AttemptTokens,
  type AttemptView,
  type Balance,
  type Line,
  type Reservation,
  type ReserveResult,
  type StepResult,
} from './ledger.ts'

const DONE: StepResult = { kind: 'done', exceeded: [] }
const SAME: StepResult = { kind: 'same' }
const CONFLICT: StepResult = { kind: 'conflict' }
const UNKNOWN: StepResult = { kind: 'unknown' }

export interface Book {
  readonly id: string
  settled: number
  held: number
  unresolved: number
  /** Changed since it was last written down, and in the list of `takeDirty`. */
  isDirty: boolean
  /** False = `settled` was not read yet: a start with many open attempts reads only what it needs. */
  isLoaded: boolean
}

export interface BookedAttempt extends AttemptView {
  readonly id: string
  readonly lines: readonly Line[]
  readonly note: AttemptNote
  readonly books: readonly Book[]
  state: AttemptState
  settled: readonly number[] | undefined
  tokens: AttemptTokens | undefined
  /** Changed since it was last written to its row. */
  isDirty: boolean
  /** Stands in the list of what is to be written to its row. */
  isListed: boolean
  /** Its reservation is written down where a crash cannot lose it. */
  isSafe: boolean
  /** Number of its row in the store; undefined = not written yet. */
  row: number | undefined
}

/** The rule and the figures, in memory and without any waiting: each method is one atomic step. */
export class Books {
  readonly #books = new Map<string, Book>()
  readonly #attempts = new IdTable<BookedAttempt>()
  readonly #ended = new EndedAttempts()
  #dirty: Book[] = []
  readonly #load: (book: string) => number

  /** `load` gives what is settled in a book that is not in memory yet (0 for a new one). */
  constructor(load: (book: string) => number = () => 0) {
    this.#load = load
  }

  /** An attempt without an end. */
  find(id: string): BookedAttempt | undefined {
    return this.#attempts.get(id)
  }

  /** Attempts without an end: reserved, sent or unresolved. */
  open(): IterableIterator<BookedAttempt> {
    return this.#attempts.values()
  }

  balance(book: string): Balance {
    const { settled, held, unresolved } = this.#book(book)
    return { settled, held, unresolved }
  }

  reserve(reservation: Reservation): ReserveResult {
    const { id, lines, note } = reservation
    const known = this.#attempts.get(id) ?? this.#ended.get(id)
    if (known !== undefined) return isSame(known.lines, lines) ? { kind: 'replayed' } : { kind: 'conflict' }
    const books: Book[] = []
    let refused: number | undefined
    let isHeldOnly = true
    // By index: an iterator over entries makes two objects for each line, here and below some 1.4 KB a request.
    for (let index = 0; index < lines.length; index++) {
      const { book: name, amount, limit } = lines[index] as Line
      if (!isAmount(amount) && !(Number.isInteger(amount) && amount > 0))
        return {
          kind: 'invalid',
          reason: `${name}: ${String(amount)} is not an amount (a whole number >= 0 is needed)`,
        }
      if (limit !== undefined && !isAmount(limit))
        return { kind: 'invalid', reason: `${name}: ${String(limit)} is not a limit` }
      const book = this.#book(name)
      books.push(book)
      // Two lines of one reservation on one book would each pass alone.
      if (books.indexOf(book) !== books.length - 1) return { kind: 'invalid', reason: `${name} stands in it twice` }
      const spent = book.settled + book.unresolved + amount
      const most = limit ?? Number.MAX_SAFE_INTEGER
      if (spent + book.held <= most) continue
      refused ??= index
      if (spent > most) isHeldOnly = false
    }
    if (refused !== undefined) {
      const { book, amount, limit } = lines[refused] as Line
      const { settled, held, unresolved } = books[refused] as Book
      const balance = { settled, held, unresolved }
      return { kind: 'refused', book, limit: limit ?? Number.MAX_SAFE_INTEGER, amount, balance, isHeldOnly }
    }
    for (let index = 0; index < books.length; index++) (books[index] as Book).held += (lines[index] as Line).amount
    const state = reservation.sendsAtOnce ? 'sent' : 'reserved'
    this.#attempts.add({
      id,
      lines,
      note,
      books,
      state,
      settled: undefined,
      tokens: undefined,
      isDirty: true,
      isListed: false,
      isSafe: false,
      row: undefined,
    })
    return { kind: 'admitted' }
  }

  sent(id: string): StepResult {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return this.#ended.get(id) === undefined ? UNKNOWN : CONFLICT
    if (attempt.state === 'sent') return SAME
    if (attempt.state !== 'reserved') return CONFLICT
    this.#move(attempt, 'sent')
    return DONE
  }

  settle(id: string, amounts: readonly number[], tokens?: AttemptTokens): StepResult {
    const attempt = this.#attempts.get(id)
    const lines = attempt?.lines ?? this.#ended.get(id)?.lines
    if (lines === undefined) return UNKNOWN
    if (amounts.length !== lines.length || !amounts.every(isAmount))
      return { kind: 'invalid', reason: 'one whole number >= 0 is needed for each line' }
    if (attempt === undefined) {
      return this.#ended.get(id)?.settled?.every((amount, index) => amount === amounts[index]) === true
        ? SAME
        : CONFLICT
    }
    for (const book of attempt.books) if (!book.isLoaded) this.#loaded(book)
    if (amounts.some((amount, index) => !isAmount((attempt.books[index] as Book).settled + amount)))
      return { kind: 'invalid', reason: 'the sum leaves the safe integers' }
    const exceeded: string[] = []
    this.#release(attempt)
    for (let index = 0; index < amounts.length; index++) {
      const book = attempt.books[index] as Book
      const amount = amounts[index] as number
      if (amount > (attempt.lines[index] as Line).amount) exceeded.push(book.id)
      book.settled += amount
      this.soil(book)
    }
    attempt.settled = amounts
    attempt.tokens = tokens
    this.#end(attempt, 'settled')
    return exceeded.length === 0 ? DONE : { kind: 'done', exceeded }
  }

  void(id: string): StepResult {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) {
      const ended = this.#ended.get(id)
      return ended === undefined ? UNKNOWN : ended.settled === undefined ? SAME : CONFLICT
    }
    if (attempt.state !== 'reserved' && attempt.state !== 'sent') return CONFLICT
    this.#release(attempt)
    this.#end(attempt, 'voided')
    return DONE
  }

  unresolve(id: string): StepResult {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return this.#ended.get(id) === undefined ? UNKNOWN : CONFLICT
    if (attempt.state === 'unresolved') return SAME
    if (attempt.state !== 'sent') return CONFLICT
    for (const [index, book] of attempt.books.entries()) {
      const { amount } = attempt.lines[index] as Line
      book.held -= amount
      book.unresolved += amount
    }
    this.#move(attempt, 'unresolved')
    return DONE
  }

  /** Takes a reservation back that could not be written down. Nothing was sent. */
  forget(id: string): void {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return
    this.#release(attempt)
    attempt.isDirty = false
    this.#attempts.delete(id)
  }

  /** Puts an attempt back as the store has it. */
  restore(row: number, view: Omit<AttemptView, 'settled' | 'tokens'>): void {
    const books = view.lines.map((line) => this.#shell(line.book))
    const { id, state, lines, note } = view
    for (const [index, book] of books.entries()) {
      const { amount } = lines[index] as Line
      if (state === 'unresolved') book.unresolved += amount
      else book.held += amount
    }
    this.#attempts.add({
      id,
      state,
      lines,
      note,
      books,
      settled: undefined,
      tokens: undefined,
      isDirty: false,
      isListed: false,
      isSafe: true,
      row,
    })
  }

  /** Notes that a book has to be written down. */
  soil(book: Book): void {
    if (book.isDirty) return
    book.isDirty = true
    this.#dirty.push(book)
  }

  /** Books that have to be written down; they count as written from here on. */
  takeDirty(): readonly Book[] {
    const taken = this.#dirty
    this.#dirty = []
    for (const book of taken) book.isDirty = false
    return taken
  }

  get hasDirty(): boolean {
    return this.#dirty.length > 0
  }

  /** Drops books out of memory that nothing holds and that are written down; they are read again when needed. */
  evict(mayGo: (book: Book) => boolean): void {
    const needed = new Set<Book>()
    for (const attempt of this.#attempts.values()) for (const book of attempt.books) needed.add(book)
    for (const book of this.#books.values()) {
      if (!book.isDirty && book.held === 0 && book.unresolved === 0 && !needed.has(book) && mayGo(book))
        this.#books.delete(book.id)
    }
  }

  /** Whether the book is in memory. */
  knows(book: string): boolean {
    return this.#books.has(book)
  }

  get size(): number {
    return this.#books.size
  }

  #book(id: string): Book {
    const book = this.#books.get(id)
    if (book === undefined) {
      const made = { id, settled: this.#load(id), held: 0, unresolved: 0, isDirty: false, isLoaded: true }
      this.#books.set(id, made)
      return made
    }
    return book.isLoaded ? book : this.#loaded(book)
  }

  #loaded(book: Book): Book {
    book.settled = this.#load(book.id)
    book.isLoaded = true
    return book
  }

  #shell(id: string): Book {
    let book = this.#books.get(id)
    if (book === undefined) {
      book = { id, settled: 0, held: 0, unresolved: 0, isDirty: false, isLoaded: false }
      this.#books.set(id, book)
    }
    return book
  }

  #release(attempt: BookedAttempt): void {
    for (let index = 0; index < attempt.books.length; index++) {
      const book = attempt.books[index] as Book
      const { amount } = attempt.lines[index] as Line
      if (attempt.state === 'unresolved') book.unresolved -= amount
      else book.held -= amount
    }
  }

  #move(attempt: BookedAttempt, state: AttemptState): void {
    attempt.state = state
    attempt.isDirty = true
  }

  #end(attempt: BookedAttempt, state: 'settled' | 'voided'): void {
    this.#move(attempt, state)
    this.#attempts.delete(attempt.id)
    this.#ended.add({ id: attempt.id, lines: attempt.lines, settled: attempt.settled })
  }
}

function isSame(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every((line, i) => line.book === b[i]?.book && line.amount === b[i]?.amount)
}
