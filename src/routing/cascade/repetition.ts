/** Shorter texts repeat themselves by chance. */
const MIN_CHARS = 200
/** A loop runs to the end of the answer: this much of its tail is looked at. */
const TAIL_CHARS = 4000
/** So many times in a row, one behind the other, is no style. Tables, lists and zeros come close; six equal lines do not. */
const TIMES = 6
/** Longest unit that is looked for, characters: a paragraph. */
const MAX_UNIT = 400

/**
 * Whether a text ends in a loop, as small models do when they lose the thread: the same piece at least six times in a row up to the
 * end. Runs of one character and of digits (rules of tables, numbers) do not count. Linear in the tail for each unit length.
 */
export function endsInLoop(text: string): boolean {
  if (text.length < MIN_CHARS) return false
  const tail = text.slice(-TAIL_CHARS).trimEnd()
  const longest = Math.min(MAX_UNIT, Math.floor(tail.length / TIMES))
  for (let unit = 4; unit <= longest; unit++) {
    if (repeats(tail, unit) && hasWords(tail.slice(-unit))) return true
  }
  return false
}

/** The last `TIMES` pieces of this length are equal. Most lengths fail at the first character. */
function repeats(tail: string, unit: number): boolean {
  const start = tail.length - unit * TIMES
  for (let i = tail.length - 1; i >= start + unit; i--) {
    if (tail.charCodeAt(i) !== tail.charCodeAt(i - unit)) return false
  }
  return true
}

function hasWords(piece: string): boolean {
  return /\p{L}{2}/u.test(piece)
}
