/** The steps of the ledger as arguments for the scripts in `lua/`, and their answers as values. */
import { encodeNote } from './redis-records.ts'
import {
  isAmount,
  type AttemptNote,
  type AttemptTokens,
  type Line,
  type Reservation,
  type StepResult,
} from '../ledger/ledger.ts'

/** How long an ended attempt is remembered for a repeated step, ms. */
export const REMEMBERED_MS = '600000'
/** Where the lines begin in the arguments of a reservation, three each: book, amount, limit. */
const LINES_AT = 7

/** Where an attempt stands. */
export interface Place {
  readonly tenant: string
  readonly root: string
  readonly books: readonly string[]
}

/** An attempt of this process without an end, with the arguments that reserved it. */
export interface OwnAttempt extends Place {
  readonly args: readonly string[]
}

/** A step after which an attempt holds nothing; `abandon` voids a reservation whose answer was lost. */
export type FinalStep =
  | { readonly verb: 'settle'; readonly amounts: readonly number[]; readonly tokens: AttemptTokens | undefined }
  | { readonly verb: 'void' | 'unresolve' | 'abandon' }

export function placeOf(root: string, lines: readonly Line[], note: AttemptNote): Place {
  return { tenant: note.tenant, root, books: lines.map(({ book }) => book) }
}

/** The place of an attempt of another process, from what is stored of it. */
export function storedPlace(tenant: string, root: string, lines: string): Place {
  return { tenant, root, books: [...lines.matchAll(/^\d+ (.+)$/gm)].map((match) => match[1] as string) }
}

export function reserveArgs(
  epoch: string,
  owner: string,
  { id, lines, note, sendsAtOnce }: Reservation,
): readonly string[] {
  let text = ''
  for (const { book, amount } of lines) text += `${amount} ${book}\n`
  const state = sendsAtOnce ? 'sent' : 'reserved'
  const args = [epoch, owner, id, state, text, encodeNote(note), note.task ?? '']
  for (const { book, amount, limit } of lines) args.push(book, String(amount), limit === undefined ? '' : String(limit))
  return args
}

/** The same reservation in another state. */
export function withState(args: readonly string[], state: 'sent'): readonly string[] {
  return args.with(3, state)
}

/** The same reservation without its limits: it was admitted before. */
export function withoutLimits(args: readonly string[]): readonly string[] {
  return args.map((arg, index) => (index >= LINES_AT && (index - LINES_AT) % 3 === 2 ? '' : arg))
}

/** What a reservation holds in its line of this number. */
export function heldIn({ args }: OwnAttempt, line: number): number {
  return Number(args[LINES_AT + 3 * line + 1] ?? 0)
}

export function moveArgs(epoch: string, id: string, verb: string): readonly string[] {
  return [epoch, id, verb, REMEMBERED_MS]
}

export function settleArgs(
  epoch: string,
  id: string,
  step: Extract<FinalStep, { readonly verb: 'settle' }>,
): readonly string[] {
  const { amounts, tokens } = step
  const count = (number: number | undefined): string => (isAmount(number) ? String(number) : '')
  return [epoch, id, count(tokens?.input), count(tokens?.output), REMEMBERED_MS, ...amounts.map(String)]
}

/** Undefined where the books were not found. */
export function stepResult(answer: readonly unknown[], { books }: Place): StepResult | undefined {
  const kind = answer[0]
  switch (kind) {
    case 'done':
      return { kind, exceeded: (answer[1] as readonly string[]).map((index) => books[Number(index)] as string) }
    case 'same':
    case 'conflict':
    case 'unknown':
      return { kind }
    case 'invalid':
      return { kind, reason: String(answer[1]) }
    default:
      return undefined
  }
}

/** Balances after a step; empty where it changed nothing. */
export function figuresOf(answer: readonly unknown[]): readonly number[] {
  return answer.slice(2).map(Number)
}

export function isSameStep(a: FinalStep, b: FinalStep): boolean {
  if (a.verb !== 'settle' || b.verb !== 'settle') return a.verb === b.verb
  return a.amounts.every((amount, index) => amount === b.amounts[index])
}
