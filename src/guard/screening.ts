import { findPersonalData } from './find-personal-data.ts'
import { isSecret, type Finding, type FindingKind } from './finding.ts'
import { foldText } from './fold-text.ts'

/** What is done with a find. Settings of several places add up, so that none of them can be loosened by another. */
export interface Handling {
  readonly pin: boolean
  readonly redact: boolean
  readonly refuse: boolean
}

/**
 * Looks through the texts of one request: counts what it finds by kind, and replaces what is to be replaced. The same value gets the
 * same placeholder wherever it stands, numbered by first appearance: a conversation that only grows keeps its numbers, and with them
 * its prompt cache.
 */
export class Screening {
  readonly counts: Map<FindingKind, number> = new Map()
  readonly redacted: Map<FindingKind, number> = new Map()
  /** Bytes of all placeholders: by no more than this a request has grown. */
  added = 0
  readonly #handlingOf: (kind: FindingKind) => Handling | undefined
  readonly #placeholders = new Map<string, string>()
  readonly #numbers = new Map<FindingKind, number>()

  /** @param handlingOf undefined = such a find is not looked at. */
  constructor(handlingOf: (kind: FindingKind) => Handling | undefined) {
    this.#handlingOf = handlingOf
  }

  /** The text as it may go on; the same string where nothing in it was replaced. */
  text(text: string): string {
    let clean = ''
    let from = 0
    for (const finding of findPersonalData(text)) {
      const placeholder = this.#note(finding, text)
      if (placeholder === undefined) continue
      clean += text.slice(from, finding.start) + placeholder
      from = finding.end
    }
    return from === 0 ? text : clean + text.slice(from)
  }

  /** JSON text stays JSON and, but for what is replaced, byte for byte the same: strings keep their quotes, a number becomes a string. */
  jsonText(json: string): string {
    let name = ''
    return json.replace(TOKEN, (token: string, at: number) => {
      if (!token.startsWith('"')) {
        const inContext = this.#inContext(name, token)
        return inContext === token ? token : JSON.stringify(inContext)
      }
      const value = parsedString(token)
      if (value === undefined) return this.text(token)
      if (NAME_FOLLOWS.test(json.slice(at + token.length, at + token.length + 4))) {
        name = value
        return token
      }
      const inContext = this.#inContext(name, value)
      return inContext === value ? token : JSON.stringify(inContext)
    })
  }

  /** A value behind its name, since `passport` before a number is what makes it one. */
  #inContext(name: string, value: string): string {
    if (name === '' || name.length > NAME_MOST || value.length > CONTEXT_MOST) return this.text(value)
    const head = `${name}: `
    const clean = this.text(head + value)
    return clean.startsWith(head) ? clean.slice(head.length) : this.text(value)
  }

  #note({ kind, start, end }: Finding, text: string): string | undefined {
    const handling = this.#handlingOf(kind)
    if (handling === undefined) return undefined
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    if (!handling.redact) return undefined
    this.redacted.set(kind, (this.redacted.get(kind) ?? 0) + 1)
    const key = `${kind} ${plain(kind, text.slice(start, end))}`
    let placeholder = this.#placeholders.get(key)
    if (placeholder === undefined) {
      const number = (this.#numbers.get(kind) ?? 0) + 1
      this.#numbers.set(kind, number)
      placeholder = `[${kind.toUpperCase().replaceAll('-', '_')}_${number}]`
      this.#placeholders.set(key, placeholder)
    }
    this.added += placeholder.length
    return placeholder
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs
const NAME_FOLLOWS = /^\s{0,3}:/
const NAME_MOST = 64
const CONTEXT_MOST = 4096

function parsedString(token: string): string | undefined {
  try {
    return JSON.parse(token) as string
  } catch {
    return undefined
  }
}

/** Two ways to write one value are one value: separators of numbers and the case of addresses make no difference. */
function plain(kind: FindingKind, value: string): string {
  const { text } = foldText(value)
  if (isSecret(kind)) return text
  return kind === 'email' ? text.toLowerCase() : text.replace(/[\s().-]/g, '').toLowerCase()
}
