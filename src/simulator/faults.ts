import { seededRandom } from './random.ts'

export const FAULT_KINDS = [
  'delay',
  'cut',
  'reset',
  'stall',
  '429',
  '500',
  '503',
  'garbage',
  'html',
  'error-event',
  'split',
  'no-usage',
  'wrong-usage',
  'close',
  'end-early',
  'overloaded',
  'ping',
  'unknown-event',
  'validation',
  'refusal',
  'blocked-prompt',
  'safety',
] as const
/**
 * What goes wrong. `cut`, `reset`, `stall`, `garbage`, `error-event`, `ping` and `unknown-event` come after `after` pieces of the
 * answer; `delay` waits `ms` before the first byte; `end-early` ends the body in due form before the events that end an answer.
 * The last six are known to some wires only (`Wire.ownFaults`).
 */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Those that every wire has. */
export const COMMON_FAULTS: readonly FaultKind[] = FAULT_KINDS.slice(0, FAULT_KINDS.indexOf('ping'))

export interface FaultRule {
  readonly fault: FaultKind
  /** Numbers of the requests it hits, from 1; absent = all. */
  readonly requests?: readonly number[]
  /** Chance that it hits, 0..1; absent = always. */
  readonly probability?: number
  readonly ms?: number
  readonly after?: number
}

/** Decides which fault a request gets: the first rule that fits. */
export class FaultScript {
  readonly #rules: readonly FaultRule[]
  readonly #random: () => number

  constructor(rules: readonly FaultRule[], seed: number) {
    this.#rules = rules
    this.#random = seededRandom(seed)
  }

  next(requestNumber: number): FaultRule | undefined {
    return this.#rules.find(
      (rule) =>
        (rule.requests === undefined || rule.requests.includes(requestNumber)) &&
        (rule.probability === undefined || this.#random() < rule.probability),
    )
  }
}

/** Rules from a JSON text: a list of `{fault, requests?, probability?, ms?, after?}`. Throws Error with a sentence. */
export function parseFaults(text: string): readonly FaultRule[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) throw new Error('A fault script is a JSON list of rules.')
  for (const rule of value as { fault?: unknown }[]) {
    if (!(FAULT_KINDS as readonly unknown[]).includes(rule.fault))
      throw new Error(`Unknown fault ${JSON.stringify(rule.fault)}. There are: ${FAULT_KINDS.join(', ')}.`)
  }
  return value as FaultRule[]
}
