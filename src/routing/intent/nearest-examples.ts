import { dotAt } from './linear-classes.ts'

const NEAREST = 5

/** Mean cosine of a unit vector with its five nearest rows, or with all where there are fewer. `without` = a row that does not count. */
export function nearness(rows: Float32Array, dimensions: number, vector: Float32Array, without: number = -1): number {
  const best = new Float64Array(NEAREST).fill(-Infinity)
  const count = rows.length / dimensions
  for (let row = 0; row < count; row++) {
    if (row === without) continue
    const cosine = dotAt(rows, row * dimensions, vector, 0, dimensions)
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
