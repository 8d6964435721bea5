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
] as const
/** What goes wrong. `cut`, `reset` and `stall` count from `after` chunks on; `delay` waits `ms` before the first byte. */
export type FaultKind = (typeof FAULT_KINDS)[number]

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
