/** Spread of repeated measurements. The median is the figure, minimum and maximum say how far to trust it. */
export interface Spread {
  readonly n: number
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Throws on an empty list: a figure without a measurement must not exist. */
export function spread(values: readonly number[]): Spread {
  return { n: values.length, min: quantile(values, 0), median: quantile(values, 0.5), max: quantile(values, 1) }
}

/** Linear interpolation between order statistics (Hyndman & Fan 1996, type 7). `q` is 0..1. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new Error('no values to summarise')
  const sorted = values.toSorted((a, b) => a - b)
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * Ratios of two contenders that were measured in the same rounds. The machine drifts from round to round but hits both
 * alike, so the ratio of a round is steadier than the ratio of two medians.
 */
export function ratios(values: readonly number[], reference: readonly number[]): Spread {
  const paired = values.flatMap((value, round) => {
    const base = reference[round]
    return base === undefined || base === 0 ? [] : [value / base]
  })
  return spread(paired)
}
