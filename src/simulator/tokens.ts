/** The simulator's own tokenizer: pieces of up to four letters, digits one by one, other characters alone, white space with what follows. */
const PIECE = /\s*(?:\p{L}{1,4}|\p{N}|[^\s\p{L}\p{N}])|\s+/gu

export function tokenize(text: string): readonly string[] {
  return text.match(PIECE) ?? []
}

export function countTokens(text: string): number {
  return tokenize(text).length
}
