import { hash } from 'node:crypto'
import { inspect } from 'node:util'

const MASK = '***'

/** A secret that shows itself only when asked by name: serialising it gives `***`, and printing an object shows no private field. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }
}

/**
 * The values as they are, for sending; printed or serialised they show a mask and the first digits of their SHA-256, so that a
 * changed value can be told from the old one.
 */
export function maskedRecord(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, `${MASK} (${hash('sha256', value).slice(0, 8)})`]),
    )
  return Object.defineProperties({ ...values }, { toJSON: { value: shown }, [inspect.custom]: { value: shown } })
}
