import type { Probe } from './probe.ts'
import type { Script } from './upstream.ts'

/** The API that a row's caller speaks: `/v1/chat/completions`, `/v1/responses` or `/v1/messages`. */
export const DIALECTS = ['chat', 'responses', 'messages'] as const
export type Dialect = (typeof DIALECTS)[number]

/** One promise of the list, with who taught it and how it is checked over HTTP alone. */
export interface Row {
  /** `group/name`, stable: results are kept under it. */
  readonly id: string
  readonly dialect: Dialect
  /** What a gateway owes its caller, in one sentence. */
  readonly promise: string
  /** The public thread or specification that taught it. */
  readonly source: string
  /** What the scripted upstream does; left out where any model's answer will do, so that the row runs without it. */
  readonly upstream?: Script
  /** Throws `Broken` where the promise does not hold. */
  readonly check: (probe: Probe) => Promise<void>
}

/** A promise was not kept; the message says what was seen. */
export class Broken extends Error {}

/** Throws `Broken` with the sentence unless the condition is true. */
export function holds(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Broken(otherwise)
}

/** Throws `Broken` unless both have the same JSON text. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, asked] = [JSON.stringify(actual) ?? 'nothing', JSON.stringify(expected) ?? 'nothing']
  holds(is === asked, `${what}: ${shorten(is)} instead of ${shorten(asked)}`)
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 60)}... (${text.length} characters)` : text
}
