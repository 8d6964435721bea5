/** Weighted ridge regression on sparse rows, solved by conjugate gradients: no step size to tune, no random order, the same bytes every time. */

/** Rows in compressed form: row r holds `columns[starts[r]..starts[r + 1])` and their `values`. */
export interface SparseRows {
  readonly starts: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float32Array
  /** Number of columns. */
  readonly width: number
}

export interface RidgeProblem {
  readonly rows: SparseRows
  /** Rows to fit on. */
  readonly use: Uint32Array
  readonly targets: Float64Array
  /** Weight of each row of `rows`. */
  readonly rowWeights: Float64Array
  /** Penalty of each column; 0 = free (the intercept). */
  readonly penalties: Float64Array
  readonly iterations: number
}

/** Minimises sum of rowWeight x (row . w - target)^2 + sum of penalty x w^2 over `use`. */
export function fitRidge(problem: RidgeProblem): Float64Array {
  const { rows, use, targets, rowWeights, penalties, iterations } = problem
  const { width } = rows
  const weights = new Float64Array(width)
  const residual = new Float64Array(width)
  for (const row of use) {
    addScaled(rows, row, (rowWeights[row] as number) * (targets[row] as number), residual)
  }
  const direction = Float64Array.from(residual)
  const image = new Float64Array(width)
  let norm = dot(residual, residual)
  const enough = norm * 1e-10
  for (let step = 0; step < iterations && norm > enough; step++) {
    for (let j = 0; j < width; j++) image[j] = (penalties[j] as number) * (direction[j] as number)
    for (const row of use) {
      addScaled(rows, row, (rowWeights[row] as number) * rowDot(rows, row, direction), image)
    }
    const size = norm / dot(direction, image)
    for (let j = 0; j < width; j++) {
      weights[j] = (weights[j] as number) + size * (direction[j] as number)
      residual[j] = (residual[j] as number) - size * (image[j] as number)
    }
    const next = dot(residual, residual)
    const keep = next / norm
    for (let j = 0; j < width; j++) direction[j] = (residual[j] as number) + keep * (direction[j] as number)
    norm = next
  }
  return weights
}

/** Product of one row with a weight vector. */
export function rowDot(rows: SparseRows, row: number, weights: Float64Array): number {
  const end = rows.starts[row + 1] as number
  let sum = 0
  for (let k = rows.starts[row] as number; k < end; k++) {
    sum += (rows.values[k] as number) * (weights[rows.columns[k] as number] as number)
  }
  return sum
}

function addScaled(rows: SparseRows, row: number, scale: number, into: Float64Array): void {
  const end = rows.starts[row + 1] as number
  for (let k = rows.starts[row] as number; k < end; k++) {
    const column = rows.columns[k] as number
    into[column] = (into[column] as number) + scale * (rows.values[k] as number)
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += (a[j] as number) * (b[j] as number)
  return sum
}
