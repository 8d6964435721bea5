/**
 * How models open an answer that declines: an apology or an inability of the speaker's own, said first. Built from the wording of
 * current open models; a text that only speaks about refusing does not open like this.
 */
const OPENINGS: readonly string[] = [
  "i'm sorry",
  'i am sorry',
  'sorry,',
  'sorry but',
  'i apologize',
  'i apologise',
  'apologies,',
  'unfortunately, i',
  'unfortunately i',
  "i can't",
  'i cannot',
  'i can not',
  "i'm unable",
  'i am unable',
  "i'm not able",
  'i am not able',
  "i won't",
  'i will not',
  'i must decline',
  'i have to decline',
  'as an ai',
  "as a language model, i can't",
  'as a language model, i cannot',
  "i'm just an ai",
  "i'm afraid i can't",
  'i am afraid i cannot',
  "i don't have the ability",
  'i do not have the ability',
]

/** Words of an inability; an apology without one ("I'm sorry to hear that") is none. */
const INABILITY =
  /\b(?:can(?:no|')t|can not|unable|not able|won't|will not|decline|don't have|do not have|not (?:allowed|permitted|capable)|against my)\b/u

/** First letters of all openings: nearly every answer is told apart by this alone. */
const MAY_OPEN = /^[\s*_"#>]*[isua]/iu

/** A refusal says so in its first sentences. */
const LOOKED_AT = 240

/** Opening that apologises or explains itself before it says what it cannot do: it needs an inability behind it. */
const NEEDS_INABILITY =
  /^(?:i'm sorry|i am sorry|sorry|i apologi[sz]e|apologies|unfortunately|as an ai|i'm just an ai)/u

/**
 * Whether an answer declines to do what was asked. A sentence or two only: a long text that begins with an apology and goes on to help
 * is an answer.
 */
export function isRefusal(text: string): boolean {
  if (!MAY_OPEN.test(text)) return false
  const start = opening(text, LOOKED_AT)
  if (!OPENINGS.some((each) => start.startsWith(each))) return false
  if (text.trim().length > 4 * LOOKED_AT) return false
  return !NEEDS_INABILITY.test(start) || INABILITY.test(start)
}

/**
 * Whether a stream that began like this may still turn out to be a refusal; false as soon as it cannot, which for most answers is
 * their first word.
 */
export function mayBecomeRefusal(begun: string): boolean {
  const start = opening(begun, LOOKED_AT)
  if (start === '') return true
  if (start.length >= LOOKED_AT) return false
  return OPENINGS.some((each) => each.startsWith(start) || start.startsWith(each))
}

function opening(text: string, length: number): string {
  return text
    .slice(0, length * 2)
    .trimStart()
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/^[*_"#>\s]+/u, '')
    .slice(0, length)
}
