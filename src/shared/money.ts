/**
 * Money is counted in nano-dollars (1e-9 USD), in safe integers, and never in floating-point dollars.
 * 2^53 nano-dollars are about nine million dollars, so overflow is a defect or an attack: it is thrown, never rounded.
 */
declare const nanoUsd: unique symbol

/** Whole nano-dollars (1e-9 USD); always a safe integer >= 0. */
export type NanoUsd = number & { readonly [nanoUsd]: true }

export const NANO_PER_USD = 1_000_000_000
/** Decimal places of a nano-dollar. */
const PLACES = 9

export const ZERO_USD: NanoUsd = 0 as NanoUsd

/** Checks that `value` is a safe integer >= 0. Throws RangeError otherwise. */
export function toNanoUsd(value: number): NanoUsd {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Not an amount of nano-dollars: ${value} (a safe integer >= 0 is needed).`)
  }
  return value as NanoUsd
}

/** Sum of two amounts. Throws RangeError when the sum leaves the safe integers. */
export function addUsd(a: NanoUsd, b: NanoUsd): NanoUsd {
  return toNanoUsd(a + b)
}

/** Dollars as written in a file or header ("0.25", 0.25) to nano-dollars, rounded up. Throws RangeError if not finite or < 0. */
export function usdToNano(usd: number): NanoUsd {
  return toNanoUsd(Math.ceil(Number((usd * NANO_PER_USD).toFixed(3))))
}

/** Decimal dollars with up to 9 places and no exponent, as headers and JSON show them: 123456 -> "0.000123456". */
export function formatUsd(amount: NanoUsd): string {
  const whole = Math.floor(amount / NANO_PER_USD)
  let rest = amount % NANO_PER_USD
  if (rest === 0) return String(whole)
  let places = PLACES
  while (rest % 10 === 0) {
    rest /= 10
    places -= 1
  }
  return `${whole}.${String(rest).padStart(places, '0')}`
}
