import { dotAt } from './linear-classes.ts'

const NEAREST = 5

/** Where the cosine of the nearest row of each class is wanted, too. */
export interface NearestOfClass {
  /** Class of each row. */
  readonly labels: Uint16Array
  /** One number per class. */
  readonly into: Float64Array
}

/** Mean cosine of a unit vector with its five nearest rows, or with all where there are fewer. */
export function nearness(
  rows: Float32Array,
  dimensions: number,
  vector: Float32Array,
  ofClass?: NearestOfClass,
): number {
  const best = new Float64Array(NEAREST).fill(-Infinity)
  ofClass?.into.fill(-1)
  const count = rows.length / dimensions
  for (let row = 0; row < count; row++) {
    const cosine = dotAt(rows, row * dimensions, vector, 0, dimensions)
    if (ofClass !== undefined) {
      const label = ofClass.labels[row] as number
      if (cosine > (ofClass.into[label] as number)) ofClass.into[label] = cosine
    }
    if (cosine <= (best[NEAREST - 1] as number)) continue
    let place = NEAREST - 1
    for (; place > 0 && cosine > (best[place - 1] as number); place--) best[place] = best[place - 1] as number
    best[place] = cosine
  }
  let sum = 0
  let found = 0
  for (const cosine of best) {
    if (cosine === -Infinity) break
    sum += cosine
    found++
  }
  return found === 0 ? 0 : sum / found
}
