import { distance } from 'fastest-levenshtein'
import { isMap, isPair, isScalar, type Document, type LineCounter } from 'yaml'
import type { z } from 'zod'
import { namesAt } from './schema.ts'

/** One sentence for the operator: where, what, and the fix. */
export interface Problem {
  /** Dotted path of the setting. */
  readonly setting: string
  readonly line: number | undefined
  /** The flag or variable that set it, where that was not the file. */
  readonly from?: string | undefined
  readonly sentence: string
}

/** Every problem of a configuration, to be shown together. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], file: string | undefined) {
    super(problems.map((each) => formatProblem(each, file)).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function formatProblem({ setting, line, from, sentence }: Problem, file: string | undefined): string {
  const inFile = file === undefined ? '' : line === undefined ? `${file}: ` : `${file}:${line}: `
  const place = from === undefined ? inFile : `${from}: `
  return `${place}${setting === '' ? '' : `${setting}: `}${sentence}`
}

/** Where settings come from: their lines in the file, and the flags and variables that win over it. */
export class Lines {
  readonly #document: Document | undefined
  readonly #counter: LineCounter | undefined
  readonly #overrides: ReadonlyMap<string, string>

  constructor(document?: Document, counter?: LineCounter, overrides: ReadonlyMap<string, string> = new Map()) {
    this.#document = document
    this.#counter = counter
    this.#overrides = overrides
  }

  /** The same file, with flags or variables over some settings. */
  with(overrides: ReadonlyMap<string, string>): Lines {
    return new Lines(this.#document, this.#counter, overrides)
  }

  /** The flag or variable that set it. */
  overrideOf(path: readonly PropertyKey[]): string | undefined {
    return this.#overrides.get(path.map(String).join('.'))
  }

  /** Line of a setting, or of the nearest thing around it that is in the file. */
  at(path: readonly PropertyKey[]): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const line = this.exact(path.slice(0, length))
      if (line !== undefined) return line
    }
    return undefined
  }

  /** Line of a setting that stands in the file itself. */
  exact(path: readonly PropertyKey[]): number | undefined {
    const parent = path.length === 1 ? this.#document?.contents : this.#document?.getIn(path.slice(0, -1), true)
    const last = path.at(-1)
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last),
      )
      const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
      return offset === undefined ? undefined : this.#counter?.linePos(offset).line
    }
    const node = this.#document?.getIn(path, true)
    const range =
      typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | null) : null
    return range === null || range[0] === undefined ? undefined : this.#counter?.linePos(range[0]).line
  }
}

/** Zod's issues as sentences. */
export function problemsOf(error: z.ZodError, lines: Lines): readonly Problem[] {
  return error.issues.flatMap((issue) => fromIssue(issue, lines))
}

function fromIssue(issue: z.core.$ZodIssue, lines: Lines): readonly Problem[] {
  const path = issue.path
  const problem = (sentence: string, at: readonly PropertyKey[] = path): Problem => ({
    setting: at.map(String).join('.'),
    line: lines.at(at),
    from: lines.overrideOf(at),
    sentence,
  })
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const near = nearest(key, namesAt(path))
        return problem(
          near === undefined
            ? 'there is no such setting. Remove it.'
            : `there is no such setting. Did you mean "${near}"?`,
          [...path, key],
        )
      })
    case 'invalid_type':
      return [
        problem(
          issue.input === undefined
            ? `it is missing; it must be ${article(issue.expected)}.`
            : `it must be ${article(issue.expected)}, not ${kindOf(issue.input)}.`,
        ),
      ]
    case 'invalid_value':
      return [
        problem(
          `it must be one of ${issue.values.map(String).join(', ')}.${hint(issue.input, issue.values.map(String))}`,
        ),
      ]
    case 'too_small':
      return [problem(`it is too small; the least is ${issue.minimum}.`)]
    case 'too_big':
      return [problem(`it is too large; the most is ${issue.maximum}.`)]
    case 'invalid_key':
      return [problem(`${issue.issues[0]?.message ?? issue.message}.`)]
    case 'invalid_union': {
      const best = issue.errors.find((each) => each[0]?.code !== 'invalid_value') ?? issue.errors[0] ?? []
      return best.flatMap((each) => fromIssue({ ...each, path: [...path, ...each.path] }, lines))
    }
    default:
      return [problem(`${issue.message}.`)]
  }
}

/** The known name that is nearest to a wrong one, if one is near. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.ceil(wrong.length / 3)) + 1
  for (const name of known) {
    const edits = distance(wrong.toLowerCase(), name.toLowerCase())
    if (edits < least) {
      best = name
      least = edits
    }
  }
  return best
}

function hint(input: unknown, words: readonly string[]): string {
  const near = typeof input === 'string' ? nearest(input, words) : undefined
  return near === undefined ? '' : ` Did you mean "${near}"?`
}

function article(kind: string): string {
  return kind === 'int' ? 'a whole number' : /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing'
  return Array.isArray(value) ? 'a list' : article(typeof value)
}
