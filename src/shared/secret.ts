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
