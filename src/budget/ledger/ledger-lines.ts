import type { Line } from './ledger.ts'

/** The lines of an open attempt as its row has them. Book names hold no line break (they are made from checked names), so that plain text is enough. */
export function encodeLines(lines: readonly Line[]): string {
  let text = ''
  for (const { book, amount } of lines) text += `${amount} ${book}\n`
  return text
}

export function decodeLines(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ')
      // The limit was judged when it was reserved.
      return { amount: Number(line.slice(0, space)), book: line.slice(space + 1), limit: undefined }
    })
}
