/** Unix milliseconds of midnight UTC of a day written as in 2027-01-01; undefined for what is no day. */
export function midnightOf(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined
  const ms = Date.parse(day)
  // Some days that do not exist, as the 30th of February, are read as later ones.
  return !Number.isNaN(ms) && dayOf(ms) === day ? ms : undefined
}

/** The UTC day of a time in Unix milliseconds, as in 2027-01-01. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
