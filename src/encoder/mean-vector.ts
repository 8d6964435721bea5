/** The mean of rows of `width` numbers, brought to length 1. Rows that cancel out give zeros: no direction is like another. */
export function meanVector(rows: Float32Array, width: number): Float32Array {
  const mean = new Float32Array(width)
  for (let from = 0; from < rows.length; from += width)
    for (let at = 0; at < width; at++) mean[at] = (mean[at] as number) + (rows[from + at] as number)
  let squares = 0
  for (const value of mean) squares += value * value
  const length = Math.sqrt(squares)
  return length > 0 ? mean.map((value) => value / length) : mean
}
