import { NANO_PER_USD, toNanoUsd, type NanoUsd } from './money.ts'

const DECIMAL = /^(\d{1,9})(?:\.(\d{1,30}))?$/

/** Decimal dollars as text to nano-dollars, exact and rounded up beyond nine places; undefined for what is no amount. */
export function parseUsd(text: string): NanoUsd | undefined {
  const [, whole, fraction = ''] = DECIMAL.exec(text.trim()) ?? []
  if (whole === undefined) return undefined
  const nano = Number(fraction.slice(0, 9).padEnd(9, '0'))
  const rest = /[1-9]/.test(fraction.slice(9)) ? 1 : 0
  const amount = Number(whole) * NANO_PER_USD + nano + rest
  return Number.isSafeInteger(amount) ? toNanoUsd(amount) : undefined
}
