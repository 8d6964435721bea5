/**
 * The contract of the money ledger. One rule, decided in one atomic step over all books of a reservation:
 * `settled + held + unresolved + amount <= limit`. Every driver keeps it (memory with a journal, Redis) and runs the same suite.
 *
 * An attempt goes `reserved -> sent -> settled | voided | unresolved -> settled` and never back. Results are values: a refusal is
 * an ordinary answer, not an exception.
 */

/** Where an attempt stands. `unresolved` = it was sent and nobody knows what it cost: its hold counts as spent. */
export type AttemptState = 'reserved' | 'sent' | 'unresolved' | 'settled' | 'voided'

/** One book of a reservation. All figures are integers in the book's own unit: nano-dollars, tokens or calls. */
export interface Line {
  /** Names the book: `task:usd:{tenant}:{id}`, `key:usd:{name}:{day}`, … */
  readonly book: string
  readonly amount: number
  /** What the book may hold; undefined = counted, not limited. */
  readonly limit: number | undefined
}

/** What reports want to know of an attempt; the rule does not read it. */
export interface AttemptNote {
  readonly tenant: string
  readonly key: string
  /** Undefined = a call without a task. */
  readonly task: string | undefined
  readonly taskType: string
  /** Name of the target, as callers know it. */
  readonly model: string
  readonly upstream: string
  /** Tool calls that its task had made before it; absent = none, or not counted. */
  readonly toolCalls?: number
  /** UTC day `YYYY-MM-DD` on which it was reserved. */
  readonly day: string
  /** Unix milliseconds. */
  readonly atMs: number
}

export interface Reservation {
  /** Unique per attempt: a second reserve with this id is a replay or a conflict. */
  readonly id: string
  /** By convention the first line is money. */
  readonly lines: readonly Line[]
  readonly note: AttemptNote
  /** The attempt is sent as soon as this resolves: `reserved` and `sent` become one durable write. */
  readonly sendsAtOnce: boolean
}

export interface Balance {
  readonly settled: number
  readonly held: number
  readonly unresolved: number
}

export interface Refused {
  readonly kind: 'refused'
  /** The first book without room. */
  readonly book: string
  readonly limit: number
  readonly amount: number
  readonly balance: Balance
  /** True = it would fit if the holds of running attempts were gone, so waiting may help. True only where that holds for every book. */
  readonly isHeldOnly: boolean
}

export type ReserveResult =
  | { readonly kind: 'admitted' }
  /** The same reservation was made before; nothing was held twice. */
  | { readonly kind: 'replayed' }
  | Refused
  /** The id is taken by a reservation of other amounts. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** It could not be written down (disk full, store gone): nothing was held, nothing may be sent. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export type StepResult =
  /** `exceeded` names the books in which more was settled than was held: the bound was wrong, and the true cost is booked. */
  | { readonly kind: 'done'; readonly exceeded: readonly string[] }
  /** A repetition of what was done before. */
  | { readonly kind: 'same' }
  /** It contradicts what was done before; nothing changed. Somebody should look. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly reason: string }

/** Tokens of an attempt, for reports. */
export interface AttemptTokens {
  readonly input: number
  readonly output: number
}

export interface AttemptView {
  readonly id: string
  readonly state: AttemptState
  readonly lines: readonly Line[]
  /** What was settled, in the order of the lines; undefined until then. */
  readonly settled: readonly number[] | undefined
  readonly note: AttemptNote
  readonly tokens: AttemptTokens | undefined
}

/** A driver. `reserve` resolves when the hold is durable; the later steps may become durable a moment later, as losing one only leaves its hold. */
export interface AttemptLedger {
  reserve(reservation: Reservation): Promise<ReserveResult>
  /** Marks a reserved attempt as sent and resolves when that is durable. */
  sent(id: string): Promise<StepResult>
  /** Books what was really used, in the order of the reservation's lines. Also settles what was unresolved. */
  settle(id: string, amounts: readonly number[], tokens?: AttemptTokens): StepResult | Promise<StepResult>
  /** Nothing was billed: gives the hold back. Not possible for what is unresolved. */
  void(id: string): StepResult | Promise<StepResult>
  /** Sent, and what it cost is not known: the hold stays and counts as spent. */
  unresolve(id: string): StepResult | Promise<StepResult>
  balance(book: string): Balance | Promise<Balance>
}

/** True for what a book can hold. */
export function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
