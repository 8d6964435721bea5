/** Where texts say their result, best first: a JSON field, LaTeX's box, GSM8K's mark, the phrase that models end with. */
const MARKS: readonly RegExp[] = [
  /"(?:final_)?answer"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?[\d.,]+|true|false))/giu,
  /\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}/gu,
  /####\s*([^\n]+)/gu,
  /\b(?:final answer|answer)(?:\s+is)?\s*[:=]?\s*(?:\*\*)?\s*\(?([^\n.]*[^\n.\s](?:\.\d+)?)/giu,
]
const NUMBER = /-?\$?\d[\d,]*(?:\.\d+)?/gu
/** A text of this length is its own result. */
const SHORT = 80

/**
 * The result that an answer comes to, in a form in which two answers can be compared: the last place that says so, else the last number,
 * else a short text as a whole. Undefined = none could be found, and nothing can be compared.
 */
export function extractAnswer(text: string): string | undefined {
  for (const mark of MARKS) {
    const found = [...text.matchAll(mark)].at(-1)
    const said = found?.slice(1).find((group) => group !== undefined)
    const normal = said === undefined ? '' : normalAnswer(said)
    if (normal !== '') return normal
  }
  const number = text.match(NUMBER)?.at(-1)
  if (number !== undefined) return normalAnswer(number)
  const normal = normalAnswer(text)
  return normal !== '' && normal.length <= SHORT ? normal : undefined
}

/** Numbers by value (`$1,200.50` = `1200.5`, `3.0` = `3`), an option by its letter, everything else without case, spaces and marks. */
export function normalAnswer(said: string): string {
  const bare = said
    .replaceAll(/\\(?:text|mathrm|mathbf)\s*\{([^{}]*)\}/gu, '$1')
    .replaceAll(/\\[,;!]|\\left|\\right|[$*`"]/gu, '')
    .trim()
    .replace(/[.\s]+$/u, '')
  const option = /^\(?([A-J])\)?(?:[.:)]\s|$)/u.exec(bare)
  if (option !== null) return (option[1] as string).toLowerCase()
  const number = /^(-?[\d,]+(?:\.\d+)?)\s*(?:%|[a-z]+)?$/iu.exec(bare)
  if (number !== null) {
    const value = Number((number[1] as string).replaceAll(',', ''))
    if (Number.isFinite(value)) return String(value)
  }
  return bare.toLowerCase().replaceAll(/[^\p{L}\p{N}\\/+\-=^_{}().]/gu, '')
}
