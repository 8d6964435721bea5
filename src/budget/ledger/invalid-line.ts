import { isAmount, type Line } from './ledger.ts'

/** Why the lines of a reservation cannot be judged; undefined = they can. A whole number beyond the safe integers can: no book has room for it. */
export function invalidLine(lines: readonly Line[]): string | undefined {
  const seen = new Set<string>()
  for (const { book, amount, limit } of lines) {
    if (!isAmount(amount) && !(Number.isInteger(amount) && amount > 0))
      return `${book}: ${String(amount)} is not an amount (a whole number >= 0 is needed)`
    if (limit !== undefined && !isAmount(limit)) return `${book}: ${String(limit)} is not a limit`
    // Two lines of one reservation on one book would each pass alone.
    if (seen.has(book)) return `${book} stands in it twice`
    if (book.includes('\n')) return `a book's name holds a line break`
    seen.add(book)
  }
  return undefined
}
