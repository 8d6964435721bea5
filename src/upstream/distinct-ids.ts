/**
 * Ids of one answer's calls, no two the same. Models and engines do give one id to two calls; a caller's results could then not be
 * told apart, and the next request would be refused for it. The first call keeps its id, later ones get a number behind it.
 */
export class DistinctIds {
  readonly #taken = new Set<string>()

  take(id: string): string {
    let own = id
    for (let number = 2; this.#taken.has(own); number++) own = `${id}_${number}`
    this.#taken.add(own)
    return own
  }
}
