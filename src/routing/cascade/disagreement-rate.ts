/** Share that is assumed before anything was seen, and how many answers that assumption is worth. */
const PRIOR = 0.3
const PRIOR_WEIGHT = 20
/** Answers after which an old one counts half: traffic changes its kind. */
const HALF_LIFE = 200
const DECAY = 0.5 ** (1 / HALF_LIFE)

/** How often two small models differ on a kind of traffic, from what was seen of it. Needs no labels. */
export class DisagreementRate {
  #differed = PRIOR * PRIOR_WEIGHT
  #seen = PRIOR_WEIGHT

  note(differed: boolean): void {
    this.#differed = this.#differed * DECAY + Number(differed)
    this.#seen = this.#seen * DECAY + 1
  }

  get value(): number {
    return this.#differed / this.#seen
  }
}
