/** Round numbers (1, 2 or 5 times a power of ten apart) around `low`..`high`, about `count` of them; at least two, also where both are the same. */
export function ticks(low: number, high: number, count: number): readonly number[] {
  const most = Math.max(Math.abs(low), Math.abs(high))
  const size = most > 1e-12 ? most : 1
  // Nearer together than labels could say: the same.
  const span = high - low > 1e-9 * size ? high - low : size
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough * 0.999) ?? 10)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  // Multiplied, not added up: 0.30000000000000004 is no label.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}
