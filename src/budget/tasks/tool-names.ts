/** A set of tool names, in which `*` stands for any part of a name, as in `refund*`. Upper and lower case differ, as they do for models. */
export class ToolNames {
  readonly size: number
  readonly #exact = new Set<string>()
  /** The texts between the stars; a name holds them in this order. */
  readonly #patterns: (readonly string[])[] = []

  constructor(names: readonly string[]) {
    this.size = names.length
    for (const name of names) {
      if (name.includes('*')) this.#patterns.push(name.split('*'))
      else this.#exact.add(name)
    }
  }

  has(name: string): boolean {
    return this.#exact.has(name) || this.#patterns.some((pattern) => fits(name, pattern))
  }
}

/** Without a regular expression: a caller's name must not be able to make one run for long. */
function fits(name: string, pattern: readonly string[]): boolean {
  const first = pattern[0] ?? ''
  const last = pattern.at(-1) ?? ''
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let at = first.length
  for (const part of pattern.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
