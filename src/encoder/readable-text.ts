/** Characters per token that are looked at: five is usual in English, and the rest leaves room for blanks and odd words. */
const CHARS_PER_TOKEN = 24

export interface ReadableText {
  readonly text: string
  /** Not all of it is there. */
  readonly isCut: boolean
}

/**
 * What of a text is worth a worker's time: its beginning, without halves of surrogate pairs. Megabytes are neither copied nor split into
 * words for the sake of the first 256 tokens.
 */
export function readableText(text: string, maxTokens: number): ReadableText {
  const most = maxTokens * CHARS_PER_TOKEN
  const begin = text.length > most ? text.slice(0, most) : text
  return { text: begin.toWellFormed(), isCut: text.length > most }
}
